// The published original server, 2.1.2, with one database for all libraries, which is all that it offers.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Server } from 'verdant-server-original';
import { endAsTold } from './life.mjs';

const [port, directory, tokenSecret] = process.argv.slice(2);
const http = createServer((request, response) => void verdant.handleRequest(request, response));
const verdant = new Server({ tokenSecret, databaseFile: join(directory, 'db.sqlite'), log: () => {} });
http.on('upgrade', verdant.handleUpgrade);
http.listen(Number(port), '127.0.0.1', () => console.log('listening'));
endAsTold();
