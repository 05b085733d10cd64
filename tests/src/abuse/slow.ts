import { waitFor } from '../until.js';
import { emptySync, push } from '../wire-rules/messages.js';
import { founder } from '../wire-rules/peer.js';
import { frame, upgradeRequest } from '../wire-rules/raw-socket.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import { type Attack, connections, dribble, leave, type Scenario, scaled, sockets } from './attack.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const head = ({ server }: Attack, path: string, more: string) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tokenFor(server.base, fresh('slow'), 'slow')}\r\n${more}\r\n\r\n`;

/** Who writes or reads slowly, or stops in the middle. */
export const slow: Record<string, Scenario> = {
  'slow headers': async (attack) => {
    const lines = await connections(attack, scaled(attack, 1_000));
    await dribble(attack, lines, Buffer.from(`GET /verdant HTTP/1.1\r\nX-Slow: ${'x'.repeat(9_000)}`));
    attack.note(`${lines.length} connections, a header one byte at a time`);
    leave(lines);
  },
  'slow bodies': async (attack) => {
    const lines = await connections(attack, scaled(attack, 1_000));
    for (const [at, line] of lines.entries()) {
      const isUpload = at % 2 === 0;
      line.write(
        isUpload
          ? head(
              attack,
              '/verdant/files/slow',
              'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000',
            )
          : head(attack, '/verdant', 'Content-Length: 1000000'),
      );
    }
    await dribble(attack, lines, Buffer.from(`--b\r\nContent-Disposition: ${'x'.repeat(9_000)}`));
    attack.note(`${lines.length} requests, half of them uploads, a body one byte at a time`);
    leave(lines);
  },
  'unfinished upgrades': async (attack) => {
    const lines = await connections(attack, scaled(attack, 1_000));
    const token = tokenFor(attack.server.base, attack.library, 'unfinished');
    await dribble(attack, lines, Buffer.from(upgradeRequest({ protocols: `Bearer, ${token}` }).slice(0, -1)));
    attack.note(`${lines.length} handshakes that lack their end`);
    leave(lines);
  },
  'frames byte by byte': async (attack) => {
    const lines = await sockets(attack, scaled(attack, 500));
    await dribble(attack, lines, frame(JSON.stringify({ type: 'heartbeat', filler: 'x'.repeat(9_000) })));
    attack.note(`${lines.length} sockets, a frame one byte at a time`);
    leave(lines);
  },
  'promised frames': async (attack) => {
    const lines = await sockets(attack, scaled(attack, 1_000));
    for (const line of lines) line.write(frame('x'.repeat(1_000), { claims: 200n * 1024n * 1024n }));
    await pause(attack.ms);
    const { rssBytes } = await attack.server.measure();
    attack.note(
      `${lines.length} frames said to be of 200 MiB; RSS meanwhile ${Math.round(rssBytes / 2 ** 20)} MiB`,
    );
    leave(lines);
  },
  'slow readers': async (attack) => {
    const library = fresh('slow-readers');
    const there = { ...attack, library };
    const writer = await founder(attack.server, library, 'writer');
    const readers = await sockets(there, scaled(attack, 50));
    for (const reader of readers) {
      reader.write(frame(JSON.stringify({ ...emptySync(), replicaId: fresh('reader') })));
    }
    await waitFor(() => readers.every(({ text }) => text.includes('sync-resp')), { deadline: 60_000 });
    for (const { socket } of readers) socket.pause();
    const megabytes = scaled(attack, 20);
    for (let each = 0; each < megabytes; each++)
      await writer.write(push('items/1:tags', 'x'.repeat(1_000_000)));
    const { rssBytes } = await attack.server.measure();
    attack.note(
      `${readers.length} that read nothing of ${megabytes} MB; RSS meanwhile ${Math.round(rssBytes / 2 ** 20)} MiB`,
    );
    leave(readers);
    writer.close();
  },
};
