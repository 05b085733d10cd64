import type { AbusedServer } from '../abuse/abused-server.js';
import { tokenFor } from '../wire-rules/tokens.js';
import { answersIn } from './answers.js';
import { exchange, SyncedSocket } from './exchange.js';
import { type Aim, type FrameInput, type Input, inputOf, type TcpInput } from './inputs.js';
import { problemsOfAnswers, problemsOfSocket } from './judge.js';

/** What inputs are made of, and where they go. */
export interface FuzzOptions {
  server: AbusedServer;
  seed: number;
  /** Numbers of inputs: from, and up to but not. */
  from: number;
  to: number;
  /** The bystanders' library, in which one of a hundred sockets is. */
  attackedLibrary: string;
  /** When to stop, however many inputs are left; ms since 1970. */
  until?: number;
  /** Connections at a time. */
  concurrency?: number;
  /** After each thousand inputs. */
  onProgress?(done: number): Promise<void>;
}

/** Something that should not have happened, and the input that brought it about. */
export interface Finding {
  problem: string;
  number: number;
  kind: string;
  /** What had been sent on the same socket before. */
  after: number[];
  times: number;
}

export interface FuzzResult {
  inputs: number;
  /** By kind, how many were answered how: a status, `lives` or `closed` and a code, or `silence`. */
  outcomes: Record<string, Record<string, number>>;
  findings: Finding[];
}

const INPUTS_PER_SOCKET = 40;
const INPUTS_PER_LIBRARY = 500;
const MAX_FINDINGS = 20;
const MINIMISE_MS = 30_000;

/** Sends inputs to a server, and judges what becomes of each. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { server, seed, from, to, until = Number.POSITIVE_INFINITY, concurrency = 64, onProgress } = options;
  const result: FuzzResult = { inputs: 0, outcomes: {}, findings: [] };
  const filePath = await uploadedFile(server);
  let next = from;
  const underWay = new Set<number>();
  const ended = () =>
    server.death !== undefined || result.findings.length >= MAX_FINDINGS || Date.now() >= until;

  const found = (problem: string, number: number, kind: string, after: number[] = []) => {
    const same = result.findings.find((finding) => alike(finding.problem) === alike(problem));
    if (same) same.times++;
    else result.findings.push({ problem, number, kind, after, times: 1 });
  };

  const count = (kind: string, outcome: string) => {
    result.outcomes[kind] ??= {};
    result.outcomes[kind][outcome] = (result.outcomes[kind][outcome] ?? 0) + 1;
  };

  const work = async () => {
    let socket: SyncedSocket | undefined;
    while (next < to && !ended()) {
      const number = next++;
      const aim = aimOf(options, number, filePath);
      const input = inputOf(seed, number, aim);
      underWay.add(number);
      if (input.over === 'tcp') {
        const seen = await exchange(server.port, number, input);
        for (const problem of problemsOfAnswers(input, seen)) found(problem, number, input.kind);
        count(input.kind, String(answersIn(seen.text)[0]?.status ?? 'silence'));
      } else {
        socket ??= await SyncedSocket.open(server.port, number, aim);
        const used = socket;
        socket = used && (await onSocket(used, input, number, found));
        const code = used?.said.close?.code;
        count(input.kind, used?.lives ? 'lives' : code ? `closed ${code}` : 'silence');
      }
      underWay.delete(number);
      if (++result.inputs % 1_000 === 0) await onProgress?.(result.inputs);
    }
    await socket?.end();
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (server.death) {
    const numbers = [...underWay].join(',');
    result.findings.unshift({
      problem: `${server.death}\nunder way: ${numbers}`,
      number: -1,
      kind: 'death',
      after: [],
      times: 1,
    });
  }
  return result;
}

/** Sends one input alone, and says what is wrong. */
export async function problemsOfOne(options: FuzzOptions, number: number, input?: Input): Promise<string[]> {
  const { server, seed } = options;
  const aim = aimOf(options, number, await uploadedFile(server));
  const tried = input ?? inputOf(seed, number, aim);
  if (tried.over === 'tcp') return problemsOfAnswers(tried, await exchange(server.port, number, tried));
  const problems: string[] = [];
  const socket = await SyncedSocket.open(server.port, number, aim);
  const left = socket && (await onSocket(socket, tried, number, (problem) => problems.push(problem)));
  await left?.end();
  return server.death ? [server.death] : problems;
}

/** The same input without what is not needed for the problem; as far as a few dozen trials get. */
export async function minimised(options: FuzzOptions, number: number): Promise<Input> {
  const filePath = await uploadedFile(options.server);
  const input = inputOf(options.seed, number, aimOf(options, number, filePath));
  const fails = async (pieces: Buffer[]) =>
    (await problemsOfOne(options, number, { ...input, pieces } as TcpInput | FrameInput)).length > 0;
  let best = input.pieces;
  let trials = 60;
  const until = Date.now() + MINIMISE_MS;
  for (let share = 2; share <= 64 && trials > 0; share *= 2) {
    for (let at = 0; at < share && trials > 0 && Date.now() < until; trials--, at++) {
      const last = best.at(-1)!;
      const from = Math.floor((last.length * at) / share);
      const upTo = Math.floor((last.length * (at + 1)) / share);
      const shorter = [...best.slice(0, -1), Buffer.concat([last.subarray(0, from), last.subarray(upTo)])];
      if (upTo > from && (await fails(shorter))) best = shorter;
    }
  }
  return { ...input, pieces: best };
}

/** Undefined: the socket has ended, as a refused one does, and the next input needs another. */
async function onSocket(
  socket: SyncedSocket,
  input: FrameInput,
  number: number,
  found: (problem: string, number: number, kind: string, after: number[]) => void,
): Promise<SyncedSocket | undefined> {
  const after = [...socket.numbers];
  socket.numbers.push(number);
  const lives = await socket.send(input.pieces, input.isWhole);
  if (!lives && input.isWhole && !socket.said.close && !socket.hasEnded)
    found('a whole message is not read', number, input.kind, after);
  for (const problem of problemsOfSocket(socket.said, socket.sent)) found(problem, number, input.kind, after);
  // What is left of a broken frame would be read together with the next input.
  if (lives && input.isWhole && socket.numbers.length < INPUTS_PER_SOCKET) {
    socket.forget();
    return socket;
  }
  const seen = await socket.end();
  for (const problem of problemsOfSocket(socket.said, socket.sent, seen))
    found(problem, number, input.kind, after);
  return undefined;
}

const aimOf = ({ server, seed, attackedLibrary }: FuzzOptions, number: number, filePath: string): Aim => ({
  base: server.base,
  library: number % 4_000 === 0 ? attackedLibrary : `fuzz-${seed}-${Math.floor(number / INPUTS_PER_LIBRARY)}`,
  user: `user-${number}`,
  replica: `replica-${number}`,
  filePath,
});

/** Path and query of a file that is there. */
async function uploadedFile({ base }: AbusedServer): Promise<string> {
  const headers = { Authorization: `Bearer ${tokenFor(base, 'fuzz-files', 'uploader')}` };
  const body = new FormData();
  body.set('file', new Blob(['0123456789']), 'a.txt');
  await fetch(`${base}/verdant/files/known`, { method: 'POST', headers, body });
  const answer = await fetch(`${base}/verdant/files/known`, { headers });
  const { url } = (await answer.json()) as { url: string };
  return new URL(url).pathname + new URL(url).search;
}

const alike = (problem: string): string => problem.replace(/[\d"'[\].:]+/g, '#').slice(0, 120);
