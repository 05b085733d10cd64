// A peer of another kind: Yjs documents on hocuspocus, with its own SQLite extension. It passes updates on as they are, and stores the
// whole document some time later.
import { join } from 'node:path';
import { SQLite } from '@hocuspocus/extension-sqlite';
import { Server } from '@hocuspocus/server';
import { endAsTold } from './life.mjs';

const [port, directory] = process.argv.slice(2);
const server = new Server({
  port: Number(port),
  address: '127.0.0.1',
  quiet: true,
  extensions: [new SQLite({ database: join(directory, 'hocuspocus.sqlite') })],
});
await server.listen();
console.log('listening');
endAsTold();
