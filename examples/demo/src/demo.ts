// Two real clients and a real server: what one client does, and how it comes to the other. Exits with 0 if all of it did.

import { randomBytes } from 'node:crypto';
import { type Client, openClient } from './client.js';
import { type Server, startServer } from './server.js';
import { Stage } from './stage.js';
import { until } from './until.js';

const stage = new Stage();
// In a page these would be in the console: the client goes on, and tries again.
process.on('unhandledRejection', (reason) => console.error(`    A client says: ${reason}`));

let server: Server | undefined;
try {
  server = await startServer();
  await play(server.origin);
  stage.end('good', 'Everything arrived.');
} catch (error) {
  process.exitCode = 1;
  stage.end('bad', (error as Error).message);
}
await server?.stop();
// Clients leave timers behind that would keep the process for a while.
process.exit();

async function play(origin: string): Promise<void> {
  await stage.scene('Two clients and a server', `${origin}, on SQLite`);
  const ada = await openClient(origin, 'Ada');
  const ben = await openClient(origin, 'Ben');
  await until('Ada and Ben are connected', () => ada.isConnected() && ben.isConnected());
  await stage.both('Ada opens the list', 'Ben opens the list');

  /** One does something, and the other comes to see it. */
  const passes = (from: Client, does: string, act: () => unknown, { says, holds }: Sight) => {
    const to = from === ada ? ben : ada;
    return stage.passes(from === ada ? 'left' : 'right', does, async () => {
      await act();
      await until(`${to.name} ${says}`, () => holds(to));
      return says;
    });
  };

  await stage.scene('Live', 'what one does, the other sees');
  await passes(ada, 'adds Tomatoes', () => ada.add('Tomatoes'), has('Tomatoes'));
  await passes(ben, 'adds Bread', () => ben.add('Bread'), has('Tomatoes, Bread'));

  await stage.scene('Presence', 'who is here, and where');
  await passes(ben, 'has the cursor at Bread', () => ben.pointAt('Bread'), {
    says: 'sees Ben at Bread',
    holds: (client) => client.cursorOf('Ben') === 'Bread',
  });

  await stage.scene('Files', 'uploaded beside the documents');
  const photo = randomBytes(120_000);
  await passes(ada, 'adds a photo of Bread', () => ada.attach('Bread', new File([photo], 'bread.jpg')), {
    says: 'has it, byte for byte',
    holds: async (client) => (await client.photo('Bread'))?.equals(photo) === true,
  });

  await stage.scene('Offline', 'both go on, and are merged');
  await passes(ada, 'goes offline', ada.goOffline, {
    says: 'sees Ada leave',
    holds: (client) => client.cursorOf('Ada') === undefined,
  });
  ada.rename('Tomatoes', 'Plums');
  ben.tick('Tomatoes');
  await ben.add('Jam');
  await stage.both('makes Tomatoes Plums', 'ticks Tomatoes off, adds Jam');
  const [adas, bens, merged] = [
    has('Plums, Bread'),
    has('✓ Tomatoes, Bread, Jam'),
    has('✓ Plums, Bread, Jam'),
  ];
  await until(`Ada ${adas.says}, Ben ${bens.says}`, () => adas.holds(ada) && bens.holds(ben));
  await stage.both(adas.says, bens.says);
  await passes(ada, 'is back', ada.goOnline, merged);
  await passes(ben, 'sends what Ada missed', () => {}, merged);
}

/** What somebody is to see, in words and as a condition. */
interface Sight {
  says: string;
  holds: (client: Client) => boolean | Promise<boolean>;
}

function has(list: string): Sight {
  return { says: `has ${list}`, holds: (client) => client.list() === list };
}
