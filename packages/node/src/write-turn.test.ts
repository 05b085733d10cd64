import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { WriteTurn } from './write-turn.js';

/** What reached the other side, write by write. */
function connection() {
  const writes: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      writes.push(String(chunk));
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  return { stream, writes };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('what a connection is sent in one turn leaves in one write, as the turn ends', async () => {
  const turn = new WriteTurn();
  const [ana, bob] = [connection(), connection()];
  for (const text of ['one ', 'two ', 'three']) {
    for (const { stream } of [ana, bob]) {
      turn.hold(stream);
      stream.write(turn.encode(text));
    }
  }
  expect([...ana.writes, ...bob.writes]).toEqual([]);
  await nextTurn();
  turn.hold(ana.stream);
  ana.stream.write(turn.encode('four'));
  await nextTurn();
  expect(ana.writes).toEqual(['one two three', 'four']);
  expect(bob.writes).toEqual(['one two three']);
});

test('a text that is handed over several times in a row is encoded once, and not kept', async () => {
  const turn = new WriteTurn();
  const { stream } = connection();
  turn.hold(stream);
  const bytes = turn.encode('für alle');
  expect(turn.encode('für alle')).toBe(bytes);
  const others = turn.encode('another');
  expect(String(others)).toBe('another');
  await nextTurn();
  expect(turn.encode('another')).not.toBe(others);
  expect(turn.encode('')).toHaveLength(0);
});

test('a connection that was ended in its turn gets all that it was sent before', async () => {
  const turn = new WriteTurn();
  const { stream, writes } = connection();
  turn.hold(stream);
  stream.write(turn.encode('last words'));
  stream.end();
  await nextTurn();
  expect(writes).toEqual(['last words']);
});
