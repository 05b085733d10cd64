import { waitFor } from '../until.js';
import { emptySync } from '../wire-rules/messages.js';
import { frame, RawSocket } from '../wire-rules/raw-socket.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import { type Attack, connections, freshAddress, leave, type Scenario, scaled, times } from './attack.js';

const poll = async (
  { server }: Attack,
  library: string,
  user: string,
  replicaId: string,
): Promise<number> => {
  const response = await fetch(`${server.base}/verdant`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenFor(server.base, library, user)}` },
    body: JSON.stringify({ messages: [{ ...emptySync(), replicaId }] }),
  });
  await response.arrayBuffer();
  return response.status;
};

const statuses = (counts: Map<number, number>): string =>
  [...counts].map(([status, count]) => `${count} × ${status}`).join(', ');

/** Who comes in numbers. */
export const many: Record<string, Scenario> = {
  'idle connections': async (attack) => {
    const lines = await connections(attack, scaled(attack, 5_000));
    for (const [at, line] of lines.entries()) if (at % 2) line.write('GET /verdant HTTP/1.1\r\nHost: loc');
    await new Promise((resolve) => setTimeout(resolve, attack.ms));
    attack.note(`${lines.length} connections, half of them silent, half with half a request`);
    leave(lines);
  },
  churn: async (attack) => {
    const until = Date.now() + attack.ms * 3;
    let opened = 0;
    const churn = async () => {
      while (Date.now() < until) {
        const token = tokenFor(attack.server.base, attack.library, fresh('churner'));
        const socket = await RawSocket.upgraded(attack.server.port, token, freshAddress());
        socket.write(frame(JSON.stringify({ type: 'presence-update', replicaId: fresh('r'), presence: {} })));
        if (opened++ % 2) socket.socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: 32 }, churn));
    attack.note(`${opened} sockets opened and dropped, ${Math.round(opened / (attack.ms * 0.003))} a second`);
  },
  'libraries without end': async (attack) => {
    const counts = new Map<number, number>();
    let most = 0;
    await times(
      scaled(attack, 20_000),
      async (at) => {
        const status = await poll(attack, fresh('endless'), 'flooder', 'replica');
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (at % 500 === 0) most = Math.max(most, (await attack.server.log()).libraries);
      },
      32,
    );
    attack.note(`${statuses(counts)}; at most ${most} libraries in memory`);
  },
  'replicas without end': async (attack) => {
    const counts = new Map<number, number>();
    await times(
      scaled(attack, 20_000),
      async () => {
        const status = await poll(attack, attack.library, 'flooder', fresh('replica'));
        counts.set(status, (counts.get(status) ?? 0) + 1);
      },
      32,
    );
    attack.note(`${statuses(counts)}, each of a replica of its own`);
  },
  'refused upgrades': async (attack) => {
    // All from one address: they are held longer each time, and bounded in number.
    const address = freshAddress();
    const lines: RawSocket[] = [];
    await times(scaled(attack, 5_000), async () => {
      const line = await RawSocket.open(attack.server.port, address);
      line.write('GET /verdant HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
      line.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
      lines.push(line);
    });
    await waitFor(() => lines.some(({ text }) => text.startsWith('HTTP/1.1 401')));
    await new Promise((resolve) => setTimeout(resolve, attack.ms));
    attack.note(
      `${lines.length} without token, ${lines.filter(({ ended }) => ended).length} of them answered by then`,
    );
    leave(lines);
  },
};
