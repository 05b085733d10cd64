import { waitFor } from '../until.js';
import { frame, RawSocket } from '../wire-rules/raw-socket.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import type { AbusedServer } from './abused-server.js';

/** What a scenario is given to attack with. */
export interface Attack {
  server: AbusedServer;
  /** The library of the bystanders. */
  library: string;
  /** Counts of the full scenario times this. */
  scale: number;
  /** How long what goes on for a time goes on. */
  ms: number;
  /** Tells a figure of its own. */
  note(text: string): void;
}

export type Scenario = (attack: Attack) => Promise<void>;

/** At least one. */
export const scaled = ({ scale }: Attack, count: number): number => Math.max(1, Math.round(count * scale));

let addresses = 0;

/** A loopback address that was not used yet: refusals are slowed down by address. */
export const freshAddress = (): string => {
  addresses++;
  return `127.${100 + (Math.floor(addresses / 62_500) % 100)}.${Math.floor(addresses / 250) % 250}.${1 + (addresses % 250)}`;
};

/** Does so many things, some at a time. */
export async function times(count: number, task: (at: number) => Promise<void>, atATime = 64): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atATime, count) }, work));
}

/** So many bare connections. */
export async function connections({ server }: Attack, count: number): Promise<RawSocket[]> {
  const opened: RawSocket[] = [];
  await times(count, async () => void opened.push(await RawSocket.open(server.port, freshAddress())));
  return opened;
}

/** So many sockets, each of a user of its own. They say nothing yet. */
export async function sockets({ server, library }: Attack, count: number): Promise<RawSocket[]> {
  const opened: RawSocket[] = [];
  await times(count, async () => {
    const token = tokenFor(server.base, library, fresh('attacker'));
    opened.push(await RawSocket.upgraded(server.port, token, freshAddress()));
  });
  return opened;
}

/** One byte of the text after the other, on each connection, until the time is up or the text is sent. */
export async function dribble({ ms }: Attack, lines: readonly RawSocket[], bytes: Buffer): Promise<void> {
  const until = Date.now() + ms;
  for (let at = 0; at < bytes.length && Date.now() < until; at++) {
    for (const line of lines) line.write(bytes.subarray(at, at + 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Resolves when the server has read so far that it answers a heartbeat. */
export async function answered(socket: RawSocket, deadline = 120_000): Promise<void> {
  const before = socket.text.length;
  socket.write(frame('{"type":"heartbeat"}'));
  await waitFor(() => socket.ended || socket.text.includes('heartbeat-response', before), { deadline });
}

export const leave = (lines: readonly RawSocket[]): void => {
  for (const line of lines) line.destroy();
};
