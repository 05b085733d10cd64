// Run in the project outside, beside the demo's parts: real clients sync through the quick start at this origin, over a
// socket and over HTTP. With `again`, what the first run wrote has to be there.
import { openClient } from './client.js';
import { until } from './until.js';

const [origin, again] = process.argv.slice(2);
const ada = await openClient(origin, again ? 'Cy' : 'Ada');
if (again) {
  await until('the new device has the list', () => ada.list() === '✓ Bread');
} else {
  const ben = await openClient(origin, 'Ben');
  await until('both are connected', () => ada.isConnected() && ben.isConnected());
  await ada.add('Bread');
  await until('Ben has Bread', () => ben.list() === 'Bread');
  await ben.tick('Bread');
  await until('Ada has the tick', () => ada.list() === '✓ Bread');
}
await poll();
// Clients leave timers behind.
process.exit(0);

/** What a device that polls does. */
async function poll() {
  const { accessToken } = await (await fetch(`${origin}/auth/demo`)).json();
  const response = await fetch(`${origin}/verdant`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      messages: [
        {
          type: 'sync',
          replicaId: crypto.randomUUID(),
          timestamp: timestamp(),
          operations: [],
          baselines: [],
          schemaVersion: 1,
          since: null,
          resyncAll: true,
        },
      ],
    }),
  });
  const [answer] = (await response.json()).messages;
  if (answer?.type !== 'sync-resp' || !JSON.stringify(answer).includes('Bread')) {
    throw new Error(`A poll was answered ${response.status} ${JSON.stringify(answer)}`);
  }
}

function timestamp() {
  return `0001${Date.now().toString(36).padStart(9, '0')}0000outside`;
}
