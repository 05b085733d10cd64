import { fileGet } from './file-inputs.js';
import { frames } from './frame-inputs.js';
import { httpRequest } from './http-inputs.js';
import { upload } from './multipart-inputs.js';
import { type Random, Random as Randoms } from './random.js';
import { tokenRequest } from './token-inputs.js';
import { upgrade } from './upgrade-inputs.js';

/** What is sent over one connection, or over one socket that is open. */
export type Input = TcpInput | FrameInput;

export interface TcpInput {
  kind: string;
  over: 'tcp';
  /** Written one after the other. */
  pieces: Buffer[];
  /** How many answers are to come before the sender says that it is done; 0: it says so at once. */
  answers: number;
  /** Whether the answers have to come: what is sent is whole, right or wrong. */
  isWhole: boolean;
  /** Its token is none of ours: whatever it asks for has to be refused. */
  forged?: boolean;
}

export interface FrameInput {
  kind: string;
  over: 'socket';
  /** Frames, or what looks like some. */
  pieces: Buffer[];
  /** Whether what follows is read as what it is, unless the server closes: no frame is cut off or goes on for ever. */
  isWhole: boolean;
}

/** Where inputs go, and as whom. */
export interface Aim {
  base: string;
  library: string;
  user: string;
  replica: string;
  /** Path of a file that is there, with the query of its URL. */
  filePath: string;
}

/** Kinds of inputs, and how many of a hundred are of them. */
const GRAMMARS: readonly [share: number, make: (random: Random, aim: Aim) => Input][] = [
  [45, frames],
  [20, httpRequest],
  [12, upgrade],
  [10, tokenRequest],
  [8, upload],
  [5, fileGet],
];

/** The input of this number: always the same one for the same seed and aim. */
export function inputOf(seed: number, number: number, aim: Aim): Input {
  const random = Randoms.of(seed, number);
  let left = random.below(100);
  for (const [share, make] of GRAMMARS) {
    left -= share;
    if (left < 0) return make(random, aim);
  }
  throw new Error('the shares of the grammars make less than a hundred');
}
