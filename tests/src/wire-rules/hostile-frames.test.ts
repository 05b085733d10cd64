import { describe, expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { undisturbed } from './bystanders.js';
import { stamp } from './messages.js';
import { RandomJson } from './random-json.js';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  type FrameOptions,
  frame,
  PING,
  RawSocket,
  TEXT,
  upgradeRequest,
} from './raw-socket.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* What no library would send: frames written by hand. */
const server = sharedCli();
const HEARTBEAT = '{"type":"heartbeat"}';

const connect = (library: string) =>
  RawSocket.upgraded(server.port, tokenFor(server.base, library, fresh('framer')));

/** The code of the close frame that came, once it came. */
async function closeCode(raw: RawSocket): Promise<number> {
  return waitFor(() => lastClose(raw.text), { describe: () => JSON.stringify(raw.text) });
}

/** What a close frame without a code stands for. */
const NO_CODE = 1005;

function lastClose(text: string): number | undefined {
  const bytes = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1]! & 127;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const start = at + (short === 126 ? 4 : 2);
    if ((bytes[at]! & 15) === CLOSE) return length < 2 ? NO_CODE : bytes.readUInt16BE(start);
    at = start + length;
  }
  return undefined;
}

describe('a frame', () => {
  const broken: Record<string, [string | Buffer, FrameOptions, number]> = {
    'that is binary': ['{"type":"heartbeat"}', { opcode: BINARY }, 4000],
    'that is binary and empty': ['', { opcode: BINARY }, 4000],
    'without a byte': ['', { opcode: TEXT }, 4000],
    'of invalid UTF-8': [Buffer.from([0x22, 0xff, 0xfe, 0x22]), { opcode: TEXT }, 4000],
    'of half a UTF-8 character': [Buffer.from([0x22, 0xe2, 0x82]), { opcode: TEXT }, 4000],
    'without a mask': [HEARTBEAT, { masked: false }, 4000],
    'with reserved bits': [HEARTBEAT, { reserved: 4 }, 4000],
    'with an unknown opcode': [HEARTBEAT, { opcode: 3 }, 4000],
    'that continues nothing': [HEARTBEAT, { opcode: CONTINUATION }, 4000],
    'that is a ping of 200 bytes': ['x'.repeat(200), { opcode: PING }, 4000],
    'that is a fragmented ping': ['x', { opcode: PING, fin: false }, 4000],
    'that claims a terabyte': ['x', { claims: 1n << 40n }, 4130],
    'that claims the most a number holds': ['x', { claims: (1n << 64n) - 1n }, 4130],
    'that claims one byte over the limit': ['x', { claims: BigInt(256 * 1024 * 1024 + 1) }, 4130],
  };

  test.each(Object.keys(broken))(
    '[SOCK-5] [LIMIT-1] [REFUSE-3] %s ends its connection with a code, and no other',
    (name) =>
      undisturbed(server, async (library) => {
        const [payload, options, code] = broken[name]!;
        const raw = await connect(library);
        raw.write(frame(payload, options));
        // A first refusal is not held.
        expect(await closeCode(raw)).toBe(code);
        raw.destroy();
      }),
  );

  test('[SOCK-5] in fragments, with a ping between them, is one message', () =>
    undisturbed(server, async (library) => {
      const raw = await connect(library);
      raw.write(frame('{"type":"hea', { fin: false }));
      raw.write(frame('ping', { opcode: PING }));
      raw.write(frame('', { opcode: CONTINUATION, fin: false }));
      raw.write(frame('rtbeat"}', { opcode: CONTINUATION }));
      await waitFor(() => raw.text.includes('heartbeat-response'), { describe: () => raw.text });
      raw.destroy();
    }));

  test('[SOCK-5] that comes byte by byte is a message', () =>
    undisturbed(server, async (library) => {
      const raw = await connect(library);
      for (const byte of frame(HEARTBEAT)) raw.write(Buffer.from([byte]));
      await waitFor(() => raw.text.includes('heartbeat-response'));
      raw.destroy();
    }));

  test('[REFUSE-3] that never ends, when the sender leaves in the middle, is nothing', () =>
    undisturbed(server, async (library) => {
      for (const cut of [1, 2, 5, 10]) {
        const raw = await connect(library);
        raw.write(frame(HEARTBEAT).subarray(0, cut));
        raw.destroy();
        const fragments = await connect(library);
        fragments.write(frame('{"type":', { fin: false }));
        fragments.destroy();
      }
    }));

  test('[REFUSE-3] that closes with a broken code or reason ends its connection alone', () =>
    undisturbed(server, async (library) => {
      const payloads = [Buffer.from([3]), Buffer.from([0, 5]), Buffer.from([3, 232, 0xff]), Buffer.alloc(0)];
      for (const payload of payloads) {
        const raw = await connect(library);
        raw.write(frame(payload, { opcode: CLOSE }));
        await waitFor(() => raw.ended || lastClose(raw.text) !== undefined);
        raw.destroy();
      }
    }));
});

test('[LIMIT-1] a message over the limit, in one frame or in fragments, is refused as too large', async () => {
  await composed({ limits: { maxMessageBytes: 10_000 } }, (app) =>
    undisturbed(app, async (library) => {
      const send = async (...frames: Buffer[]) => {
        const raw = await RawSocket.upgraded(app.port, tokenFor(app.base, library, fresh('large')));
        for (const one of frames) raw.write(one);
        expect(await closeCode(raw)).toBe(4130);
        raw.destroy();
      };
      await send(frame('x'.repeat(10_001)));
      await send(
        frame('x'.repeat(6_000), { fin: false }),
        frame('x'.repeat(6_000), { opcode: CONTINUATION }),
      );
      const response = await fetch(`${app.base}/verdant`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${tokenFor(app.base, library, 'ann')}`,
          Origin: 'https://app.test',
        },
        body: JSON.stringify({ messages: [], filler: 'x'.repeat(10_001) }),
      });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: 4130 });
      expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test');
    }),
  );
});

test('[REFUSE-3] random bytes, before and after the upgrade, disturb nobody', () =>
  undisturbed(server, async (library) => {
    const random = new RandomJson(11);
    const noise = () => Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)));
    for (let round = 0; round < 60; round++) {
      const raw = round % 2 ? await connect(library) : await RawSocket.open(server.port);
      if (round % 4 === 0) raw.write(upgradeRequest().slice(0, random.below(200)));
      raw.write(noise());
      raw.write(noise());
      if (round % 5 === 0) raw.socket.end();
      else if (round % 5 === 1) raw.socket.resetAndDestroy();
      else await waitFor(() => raw.text.length > 0 || raw.ended || raw.socket.bytesWritten > 0);
      raw.destroy();
    }
  }));

test('[LIMIT-11] a flood of messages on one socket does not keep the others waiting', () =>
  undisturbed(server, async (library) => {
    const raw = await connect(library);
    const beat = frame(HEARTBEAT);
    raw.write(Buffer.concat(Array.from({ length: 20_000 }, () => beat)));
    const presence = { type: 'presence-update', replicaId: fresh('flood'), presence: { at: stamp() } };
    raw.write(frame(JSON.stringify(presence)));
    await waitFor(() => raw.text.includes('presence-changed'), { deadline: 20_000 });
    raw.destroy();
  }));
