import {
  BINARY,
  CLOSE,
  CONTINUATION,
  type FrameOptions,
  PING,
  frame as plainFrame,
  TEXT,
} from '../wire-rules/raw-socket.js';
import type { Aim, FrameInput } from './inputs.js';
import { messageText } from './message-inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';

/** Frames on a socket that has synced. */
export function frames(random: Random, { replica }: Aim): FrameInput {
  const text = messageText(random, replica);
  const whole = frame(random, text);
  const make = (pieces: Buffer[], isWhole: boolean): FrameInput => ({
    kind: isWhole ? 'frames, whole' : 'frames, broken',
    over: 'socket',
    pieces,
    isWhole,
  });
  return random.one(
    () => make([whole], true),
    () => make([whole], true),
    () => make([whole], true),
    () => make([whole], true),
    () => make([frame(random, mutated(random, Buffer.from(text)))], true),
    () => make([frame(random, mutated(random, Buffer.from(text)))], true),
    () => make(fragments(random, Buffer.from(text)), false),
    () => make([mutated(random, whole)], false),
    () => make([broken(random, text)], false),
    () => make([control(random)], false),
    () => make([whole.subarray(0, random.below(whole.length)), whole], false),
  );
}

function fragments(random: Random, text: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const cuts = Array.from({ length: random.below(6) }, () => random.below(text.length + 1)).sort(
    (a, b) => a - b,
  );
  const ends = [...cuts, text.length];
  let from = 0;
  for (const [at, to] of ends.entries()) {
    const opcode = at === 0 ? TEXT : random.chance(0.97) ? CONTINUATION : TEXT;
    pieces.push(frame(random, text.subarray(from, to), { opcode, fin: at === ends.length - 1 }));
    if (random.chance(0.2)) pieces.push(control(random));
    from = to;
  }
  return pieces;
}

const broken = (random: Random, text: string): Buffer =>
  random.one(
    () => frame(random, text, { opcode: BINARY }),
    () => frame(random, text, { opcode: random.below(16) }),
    () => frame(random, text, { masked: false }),
    () => frame(random, text, { reserved: 1 + random.below(7) }),
    () => frame(random, text, { opcode: CONTINUATION }),
    () => frame(random, text, { fin: false }),
    () =>
      frame(random, text, {
        claims: BigInt(random.pick([0, 1, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 40])),
      }),
    () => frame(random, random.bytes(random.below(300))),
    () => random.bytes(1 + random.below(300)),
  );

const control = (random: Random): Buffer =>
  random.one(
    () => frame(random, random.bytes(random.below(126)), { opcode: PING }),
    () => frame(random, random.bytes(random.below(126)), { opcode: PING + 1 }),
    () => frame(random, closing(random), { opcode: CLOSE }),
    () => frame(random, '', { opcode: PING, fin: false }),
  );

/** Codes below 2048: the server says none of them by itself. */
function closing(random: Random): Buffer {
  const payload = random.bytes(random.below(200));
  if (payload.length > 0) payload[0]! &= 7;
  return payload;
}

/** Its mask is of the seed, too: where a frame is broken, the mask may be read as what it is not. */
const frame = (random: Random, payload: string | Buffer, options: FrameOptions = {}): Buffer =>
  plainFrame(payload, { ...options, mask: random.bytes(4) });
