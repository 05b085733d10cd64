import { BINARY, CLOSE, CONTINUATION, frame, PING, TEXT } from '../wire-rules/raw-socket.js';
import type { Aim, FrameInput } from './inputs.js';
import { messageText } from './message-inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';

/** Frames on a socket that has synced. */
export function frames(random: Random, { replica }: Aim): FrameInput {
  const text = messageText(random, replica);
  const whole = frame(text);
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
    () => make([frame(mutated(random, Buffer.from(text)))], true),
    () => make([frame(mutated(random, Buffer.from(text)))], true),
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
    pieces.push(frame(text.subarray(from, to), { opcode, fin: at === ends.length - 1 }));
    if (random.chance(0.2)) pieces.push(control(random));
    from = to;
  }
  return pieces;
}

const broken = (random: Random, text: string): Buffer =>
  random.one(
    () => frame(text, { opcode: BINARY }),
    () => frame(text, { opcode: random.below(16) }),
    () => frame(text, { masked: false }),
    () => frame(text, { reserved: 1 + random.below(7) }),
    () => frame(text, { opcode: CONTINUATION }),
    () => frame(text, { fin: false }),
    () => frame(text, { claims: BigInt(random.pick([0, 1, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 40])) }),
    () => frame(random.bytes(random.below(300))),
    () => random.bytes(1 + random.below(300)),
  );

const control = (random: Random): Buffer =>
  random.one(
    () => frame(random.bytes(random.below(126)), { opcode: PING }),
    () => frame(random.bytes(random.below(126)), { opcode: PING + 1 }),
    () => frame(closing(random), { opcode: CLOSE }),
    () => frame('', { opcode: PING, fin: false }),
  );

/** Codes below 2048: the server says none of them by itself. */
function closing(random: Random): Buffer {
  const payload = random.bytes(random.below(200));
  if (payload.length > 0) payload[0]! &= 7;
  return payload;
}
