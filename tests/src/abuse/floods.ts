import { push, set } from '../wire-rules/messages.js';
import { founder, joiner } from '../wire-rules/peer.js';
import { CONTINUATION, frame, PING, RawSocket } from '../wire-rules/raw-socket.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import {
  type Attack,
  answered,
  freshAddress,
  leave,
  type Scenario,
  scaled,
  sockets,
  times,
} from './attack.js';

const MIB = 2 ** 20;

/** Writes the same frame so often, a piece at a time, as fast as the server reads. */
async function flood(socket: RawSocket, one: Buffer, count: number): Promise<void> {
  const piece = Buffer.concat(Array.from({ length: Math.min(count, 5_000) }, () => one));
  for (let sent = 0; sent < count && !socket.ended; sent += 5_000) {
    if (!socket.socket.write(piece)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const unread =
  (what: string, one: Buffer): Scenario =>
  async (attack) => {
    const lines = await sockets(attack, 4);
    for (const { socket } of lines) socket.pause();
    await Promise.all(lines.map((line) => flood(line, one, scaled(attack, 250_000))));
    await new Promise((resolve) => setTimeout(resolve, attack.ms / 2));
    const { rssBytes } = await attack.server.measure();
    attack.note(`${4 * scaled(attack, 250_000)} ${what}; RSS meanwhile ${Math.round(rssBytes / MIB)} MiB`);
    leave(lines);
  };

/** Who sends more than anybody needs. */
export const floods: Record<string, Scenario> = {
  '100,000 operations': async (attack) => {
    const flooder = await joiner(attack.server, attack.library, fresh('flooder'));
    const messages = scaled(attack, 1_000);
    const started = Date.now();
    let stored = 0;
    for (let at = 0; at < messages && !flooder.closed; at++) {
      const operations = Array.from({ length: 100 }, () => set('bystanders/flood', 'n', at));
      await flooder.write(...operations).then(
        () => {
          stored += 100;
        },
        () => {},
      );
      flooder.received.length = 0;
      flooder.forgetUnread();
    }
    const end = flooder.closed ? `; then closed: ${flooder.closed.code} ${flooder.closed.reason}` : '';
    attack.note(
      `${stored} operations of one user, ${Math.round(stored / ((Date.now() - started) / 1000))} a second${end}`,
    );
    flooder.close();
  },
  presence: async (attack) => {
    const lines = await sockets(attack, scaled(attack, 50));
    const updates = scaled(attack, 1_000);
    await Promise.all(
      lines.map((line) => {
        const update = {
          type: 'presence-update',
          replicaId: fresh('present'),
          presence: { at: 'x'.repeat(1_000) },
        };
        return flood(line, frame(JSON.stringify(update)), updates);
      }),
    );
    await Promise.all(lines.map((line) => answered(line)));
    attack.note(`${lines.length} users with ${updates} updates of 1 KB each`);
    leave(lines);
  },
  'pings that nobody reads the answers of': unread('pings', frame('x'.repeat(125), { opcode: PING })),
  'heartbeats that nobody reads the answers of': unread('heartbeats', frame('{"type":"heartbeat"}')),
  'empty fragments': async (attack) => {
    const lines = await sockets(attack, scaled(attack, 20));
    const empty = frame('', { opcode: CONTINUATION, fin: false });
    await Promise.all(
      lines.map(async (line) => {
        line.write(frame('{', { fin: false }));
        await flood(line, empty, 100_000);
      }),
    );
    attack.note(`${lines.length} messages in 100,000 fragments without a byte`);
    leave(lines);
  },
  'tiny messages': async (attack) => {
    const lines = await sockets(attack, 10);
    await Promise.all(lines.map((line) => flood(line, frame('{"type":"x"}'), scaled(attack, 200_000))));
    await Promise.all(lines.map((line) => answered(line)));
    attack.note(`${10 * scaled(attack, 200_000)} messages of a type that is unknown`);
    leave(lines);
  },
  'uploads and aborts': (attack) => uploads(attack),
  'a document of many objects': async (attack) => {
    const library = fresh('wide');
    const writer = await founder(attack.server, library, 'wide');
    const messages = scaled(attack, 100);
    for (let at = 0; at < messages && !writer.closed; at++) {
      await writer.write(...Array.from({ length: 1_000 }, (_, n) => push(`items/1:${at}-${n}`, 1)));
    }
    attack.note(`${messages * 1_000} objects under one root`);
    writer.close();
  },
};

async function uploads(attack: Attack): Promise<void> {
  const { base, port } = attack.server;
  const count = scaled(attack, 1_000);
  const token = tokenFor(base, fresh('uploads'), 'uploader');
  const content = 'x'.repeat(200_000);
  await times(count, async (at) => {
    const line = await RawSocket.open(port, freshAddress());
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${content}\r\n--b--\r\n`;
    line.write(
      `POST /verdant/files/f-${at % 20} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    line.write(at % 2 ? body : body.slice(0, 100_000));
    if (at % 2) await line.answer(60_000).catch(() => {});
    line.destroy();
  });
  attack.note(`${count} uploads of 200 KB to 20 ids, half of them broken off`);
}
