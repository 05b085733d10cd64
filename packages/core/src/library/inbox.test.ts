import { expect, test } from 'vitest';
import type { RequestConnection } from './connection.js';
import { Inbox } from './inbox.js';
import type { Unit } from './unit.js';

const connection = (name: string) => ({ kind: 'request', caller: { userId: name } }) as RequestConnection;
const unit = (of: RequestConnection, text: string, size = 1) =>
  ({ connection: of, size, long: { text, place: 'message' } }) as Unit;
const texts = (units: Unit[]) => units.map(({ long }) => long?.text);
const never = () => false;

test('[LIMIT-11] [MSG-7] connections take turns, and each keeps its order', () => {
  const inbox = new Inbox();
  const [flood, ana, bob] = [connection('flood'), connection('ana'), connection('bob')];
  for (let n = 0; n < 5_000; n++) inbox.push(unit(flood, `f${n}`));
  inbox.push(unit(ana, 'a0'));
  inbox.push(unit(bob, 'b0'));
  inbox.push(unit(ana, 'a1'));
  expect(texts(inbox.take(6, never))).toEqual(['f0', 'f1', 'f2', 'a0', 'a1', 'b0']);
  inbox.push(unit(bob, 'b1'));
  expect(texts(inbox.take(2, never))).toEqual(['f3', 'b1']);
  expect(texts(inbox.takeAll())).toEqual(Array.from({ length: 4_996 }, (_, n) => `f${n + 4}`));
  expect(inbox.isEmpty).toBe(true);
  expect(inbox.take(1, never)).toEqual([]);
});

test('what has to be by itself comes alone, when its turn has come', () => {
  const inbox = new Inbox();
  const [ana, bob] = [connection('ana'), connection('bob')];
  for (const text of ['a0', 'LONG', 'a2']) inbox.push(unit(ana, text));
  inbox.push(unit(bob, 'b0'));
  const take = () => texts(inbox.take(10, ({ long }) => long?.text === 'LONG'));
  expect([take(), take(), take()]).toEqual([['a0', 'b0'], ['LONG'], ['a2']]);
});

test('what is hardly any work takes little room from what others wrote', () => {
  const inbox = new Inbox();
  const writer = connection('writer');
  const readers = Array.from({ length: 8 }, (_, n) => connection(`reader-${n}`));
  for (let n = 0; n < 4; n++) {
    for (const reader of readers) inbox.push(unit(reader, 'ack', 1 / 8));
    inbox.push(unit(writer, `w${n}`));
  }
  // Round by round: eight acks, which are as much as one change, and a change.
  const taken = texts(inbox.take(4, never));
  expect(taken.filter((text) => text === 'ack')).toHaveLength(16);
  expect(taken.filter((text) => text !== 'ack')).toEqual(['w0', 'w1']);
});
