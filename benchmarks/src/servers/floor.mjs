// The floor: the least that a correct server could do to pass changes on. It parses each message, commits what waits
// in one durable SQLite transaction, and then writes the same text to all sockets of the library. It verifies nothing,
// merges nothing, compacts nothing and forgets nobody: no server that does its duty can be expected to cost less.
import { createServer } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { WebSocketServer } from 'ws';
import { endAsTold } from './life.mjs';

const [port, directory] = process.argv.slice(2);
const database = new Database(join(directory, 'floor.sqlite'));
database.pragma('journal_mode = WAL');
// As ours: what was acknowledged survives loss of power.
database.pragma('synchronous = FULL');
database.exec(`CREATE TABLE operations (
  library TEXT, server_order INTEGER, text TEXT, PRIMARY KEY (library, server_order)
) WITHOUT ROWID`);
const insert = database.prepare('INSERT INTO operations VALUES (?, ?, ?)');

/** By id: who is connected, and how many operations there are. */
const libraries = new Map();
let waiting = [];

const commit = () => {
  const batch = waiting;
  waiting = [];
  database.exec('BEGIN');
  for (const { library, message } of batch) {
    message.texts = message.operations.map((operation) => JSON.stringify(operation));
    for (const text of message.texts) insert.run(library.id, ++library.order, text);
  }
  database.exec('COMMIT');
  for (const { library, socket, message } of batch) {
    socket.send(`{"type":"server-ack","timestamp":"${message.timestamp}"}`);
    const operations = message.texts.join();
    const text = Buffer.from(
      `{"type":"op-re","operations":[${operations}],"replicaId":"${message.replicaId}"}`,
    );
    for (const other of library.sockets) if (other !== socket) other.send(text, { binary: false });
  }
};

const connect = (socket, id) => {
  const library = libraries.get(id) ?? { id, order: 0, sockets: new Set(), acks: new Map() };
  libraries.set(id, library);
  socket.on('close', () => library.sockets.delete(socket));
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.type === 'ack') library.acks.set(message.replicaId, message.timestamp);
    if (message.type === 'op' && waiting.push({ library, socket, message }) === 1) setImmediate(commit);
    if (message.type === 'sync') {
      const ackedTimestamp = message.timestamp;
      const reply = { operations: [], baselines: [], overwriteLocalData: false, peerPresence: {} };
      socket.send(JSON.stringify({ type: 'sync-resp', ...reply, ackedTimestamp }));
      library.sockets.add(socket);
    }
  });
};

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  const [, token] = request.headers['sec-websocket-protocol'].split(/, ?/);
  connect(socket, JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).lib);
});
http.listen(Number(port), '127.0.0.1', () => console.log('listening'));
endAsTold();
