import { init, privateTo, set } from '../wire-rules/messages.js';
import { joiner, Peer } from '../wire-rules/peer.js';
import { tokenFor } from '../wire-rules/tokens.js';
import { CANARIES } from './canaries.js';

/*
 * Two pairs of clients, in a process of their own so that nothing but the server makes them wait: one pair in the
 * library that is attacked, one elsewhere. A writer writes, its reader waits for that, over and over.
 */

export type Question = { ask: 'phase'; phase: string } | { ask: 'finish' };

export type Told = 'ready' | { latencies: Record<string, Latencies> } | Report;

/** In ms, from before the write until its reader has it. */
export interface Latencies {
  rounds: number;
  p50: number;
  p99: number;
  max: number;
}

export interface Report {
  /** By phase and pair. */
  latencies: Record<string, Latencies>;
  /** What should not have happened to them. */
  problems: string[];
}

const [, , base = '', library = '', elsewhere = ''] = process.argv;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 10;

const samples: Record<string, number[]> = {};
const problems: string[] = [];
let phase = 'before';
let finishing = false;

const sample = (name: string, ms: number) => {
  samples[name] ??= [];
  samples[name].push(ms);
};

const watch = (peer: Peer, forbidden: readonly string[]) => {
  const { onMessage } = peer;
  peer.onMessage = (message) => {
    onMessage(message);
    const text = JSON.stringify(message);
    const seen = forbidden.find((canary) => text.includes(canary));
    if (seen) problems.push(`${peer.user} in ${peer.library} was shown ${seen}`);
    // Kept for tests to look at; here it would only grow.
    peer.received.length = 0;
  };
};

const pair = async (name: string, id: string, forbidden: readonly string[]) => {
  const options = { token: tokenFor(base, id, 'writer') };
  const writer = await new Peer({ base }, id, 'writer', options).connect();
  writer.acking();
  await writer.sync({
    operations: [
      init('bystanders/1', { n: -1, canary: name === 'elsewhere' ? CANARIES.elsewhere : '' }),
      init('bystanders/2', { canary: CANARIES.private }, privateTo('writer')),
    ],
  });
  const reader = await joiner({ base }, id, 'reader');
  for (const peer of [writer, reader]) {
    watch(peer, peer === writer ? forbidden : [...forbidden, CANARIES.private]);
  }
  const sync = async () => {
    for (let round = 0; !finishing; round++) {
      const operation = set('bystanders/1', 'n', round);
      const started = performance.now();
      const now = phase;
      writer.send('op', { operations: [operation], timestamp: operation.timestamp });
      const isHere = ({ operations }: { operations: readonly { timestamp: string }[] }) =>
        operations.some(({ timestamp }) => timestamp === operation.timestamp);
      await reader.take('op-re', isHere, PATIENCE_MS);
      sample(`${now}, ${name}`, performance.now() - started);
      writer.forgetUnread();
      reader.forgetUnread();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const syncing = sync().catch((error: Error) => problems.push(`${name}: ${error.message}`));
  return async () => {
    await syncing;
    for (const { closed, user } of [writer, reader]) {
      if (closed) problems.push(`${name}: the socket of the ${user} ended: ${closed.code} ${closed.reason}`);
    }
    // Somebody new holds what was written last.
    const newcomer = await joiner({ base }, id, 'newcomer');
    const written = set('bystanders/1', 'last', 'of all');
    await reader.write(written).catch((error: Error) => problems.push(`${name}: ${error.message}`));
    await newcomer
      .take('op-re', ({ operations }) => operations.some(({ timestamp }) => timestamp === written.timestamp))
      .catch((error: Error) => problems.push(`${name}: a newcomer: ${error.message}`));
    for (const peer of [writer, reader, newcomer]) peer.close();
  };
};

const latencies = (): Record<string, Latencies> =>
  Object.fromEntries(
    Object.entries(samples).map(([name, all]) => {
      const sorted = [...all].sort((a, b) => a - b);
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      return [name, { rounds: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }];
    }),
  );

const pairs = [
  await pair('same library', library, [CANARIES.elsewhere]),
  await pair('elsewhere', elsewhere, [CANARIES.attacker]),
];
const tell = (told: Told) => process.send?.(told);
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
process.on('message', async (question: Question) => {
  if (question.ask === 'phase') {
    phase = question.phase;
    return tell({ latencies: latencies() });
  }
  finishing = true;
  for (const finish of pairs) await finish();
  tell({ latencies: latencies(), problems });
});
tell('ready');
