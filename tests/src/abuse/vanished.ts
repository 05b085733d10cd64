import { waitFor } from '../until.js';
import { emptySync } from '../wire-rules/messages.js';
import { frame, type RawSocket } from '../wire-rules/raw-socket.js';
import { fresh } from '../wire-rules/tokens.js';
import { type Attack, leave, type Scenario, scaled, sockets } from './attack.js';

const SOCKETS_PER_LIBRARY = 50;

/** So many sockets that have synced, some in a library: all in one would mostly show what it costs to tell each of each. */
async function synced(attack: Attack, count: number): Promise<RawSocket[]> {
  const opened: RawSocket[] = [];
  for (let left = count; left > 0; left -= SOCKETS_PER_LIBRARY) {
    const there = { ...attack, library: fresh('vanished') };
    const lines = await sockets(there, Math.min(left, SOCKETS_PER_LIBRARY));
    for (const line of lines) line.write(frame(JSON.stringify({ ...emptySync(), replicaId: fresh('r') })));
    await waitFor(() => lines.every(({ text }) => text.includes('sync-resp')), { deadline: 60_000 });
    opened.push(...lines);
  }
  return opened;
}

/** Who was there, and never says anything again: no message, no pong, no close. */
export const vanished: Record<string, Scenario> = {
  'vanished peers': async (attack) => {
    const lines = await synced(attack, scaled(attack, 5_000));
    if (lines.some(({ ended }) => ended)) throw new Error('some were cut off before all had synced');
    const since = Date.now();
    const { rssBytes } = await attack.server.measure();
    await waitFor(() => lines.every(({ ended }) => ended), {
      deadline: 150_000,
      describe: () => lines.filter(({ ended }) => !ended).length,
    });
    attack.note(
      `${lines.length} synced sockets that answer nothing; RSS meanwhile ${Math.round(rssBytes / 2 ** 20)} MiB; ` +
        `the last was cut off ${Math.round((Date.now() - since) / 1_000)} s later`,
    );
    leave(lines);
  },
};
