import { gzipSync } from 'node:zlib';
import { waitFor } from '../until.js';
import { init, op } from '../wire-rules/messages.js';
import { founder } from '../wire-rules/peer.js';
import { frame, RawSocket, upgradeRequest } from '../wire-rules/raw-socket.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import { freshAddress, type Scenario, scaled, times } from './attack.js';

/** What is small and costs much. */
export const bombs: Record<string, Scenario> = {
  compression: async (attack) => {
    const { base, port } = attack.server;
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const answers = new Set<string>();
    await times(scaled(attack, 200), async () => {
      const response = await fetch(`${base}/verdant`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${tokenFor(base, fresh('bomb'), 'bomber')}`,
          'Content-Encoding': 'gzip',
        },
        body: bomb,
      });
      answers.add(`${response.status} ${await response.text()}`);
      const line = await RawSocket.open(port, freshAddress());
      const protocols = `Bearer, ${tokenFor(base, fresh('bomb'), 'bomber')}`;
      line.write(upgradeRequest({ protocols, more: 'Sec-WebSocket-Extensions: permessage-deflate' }));
      await waitFor(() => line.ended || line.text.includes('\r\n\r\n'), { deadline: 60_000 });
      if (/permessage-deflate/i.test(line.text)) answers.add('a socket is compressed');
      line.write(frame(bomb, { reserved: 4 }));
      await waitFor(() => line.ended || line.text.includes('malformed'), { deadline: 60_000 });
      line.destroy();
    });
    attack.note(`bodies and frames of ${bomb.length} bytes that unpack to 50 MB: ${[...answers].join('; ')}`);
  },
  'headers that keep a parser busy': async (attack) => {
    const { base, port } = attack.server;
    const authorization = `Authorization: Bearer ${tokenFor(base, fresh('busy'), 'busy')}`;
    const requests = [
      `POST /verdant/files/x HTTP/1.1\r\n${authorization}\r\nContent-Type: multipart/form-data; boundary="${'\\'.repeat(15_000)}`,
      `GET /files/x HTTP/1.1\r\nRange: bytes=1-${' '.repeat(15_000)}x`,
      `GET ${'/'.repeat(15_000)}x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket`,
      `POST /verdant HTTP/1.1\r\nAuthorization: Bearer ${' '.repeat(15_000)}x y`,
      `POST /verdant HTTP/1.1\r\n${authorization}\r\nContent-Type: ${';a="'.repeat(3_500)}`,
      `GET /verdant?${'token=%'.repeat(2_000)} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket`,
    ];
    const started = Date.now();
    const count = scaled(attack, 2_000);
    await times(count, async (at) => {
      const line = await RawSocket.open(port, freshAddress());
      line.write(`${requests[at % requests.length]}\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
      await waitFor(() => line.ended || line.text.includes('\r\n\r\n'), { deadline: 60_000 });
      line.destroy();
    });
    attack.note(
      `${count} requests of ${requests.length} kinds, ${((Date.now() - started) / count).toFixed(1)} ms each`,
    );
  },
  'lists with a far index': async (attack) => {
    const writer = await founder(attack.server, fresh('far'), 'far');
    const lists = scaled(attack, 50);
    for (let at = 0; at < lists && !writer.closed; at++) {
      await writer.write(
        init(`items/1:${at}`, []),
        op(`items/1:${at}`, { op: 'list-set', index: 999_999, value: 1 }),
      );
    }
    // Folded within 2 s, which is what costs.
    await new Promise((resolve) => setTimeout(resolve, attack.ms));
    attack.note(`${lists} lists of a million holes, by 200 bytes each`);
    writer.close();
  },
};
