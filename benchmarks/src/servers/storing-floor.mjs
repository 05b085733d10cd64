// The floor of syncs that bring much or are told much: the least that a correct server could do. It founds a library by
// parsing the message and inserting what it brings in one transaction, and tells it by reading the texts page by page and
// passing them on, over a socket or HTTP. It verifies nothing, knows no replicas, and can neither fold nor find an object.
// With `knowsReplicas` it verifies the token and has stored who it is, before it answers.
import { createServer } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { jwtVerify } from 'jose';
import { WebSocketServer } from 'ws';
import { endAsTold } from './life.mjs';

const [port, directory, tokenSecret, settings] = process.argv.slice(2);
const { knowsReplicas } = JSON.parse(settings);
const database = new Database(join(directory, 'floor.sqlite'));
database.pragma('journal_mode = WAL');
// As ours: what was acknowledged survives loss of power.
database.pragma('synchronous = FULL');
const PAGE = 1000;
const table = (name) => {
  database.exec(`CREATE TABLE IF NOT EXISTS ${name} (
    library TEXT, position INTEGER, text TEXT, PRIMARY KEY (library, position)
  ) WITHOUT ROWID`);
  const insert = database.prepare(`INSERT INTO ${name} VALUES (?, ?, ?)`);
  const last = database.prepare(`SELECT max(position) FROM ${name} WHERE library = ?`).pluck();
  const page = database
    .prepare(`SELECT text FROM ${name} WHERE library = ? AND position > ? ORDER BY position LIMIT ${PAGE}`)
    .pluck();
  const positions = new Map();
  return {
    store: (library, items) => {
      let position = positions.get(library) ?? last.get(library) ?? 0;
      for (const item of items) insert.run(library, ++position, JSON.stringify(item));
      positions.set(library, position);
    },
    *pages(library) {
      let texts = page.all(library, 0);
      for (let read = texts.length; texts.length > 0; read += texts.length) {
        yield texts.join();
        texts = page.all(library, read);
      }
    },
  };
};
const tables = { baselines: table('baselines'), operations: table('operations') };

const found = database.transaction((library, { baselines, operations }) => {
  tables.baselines.store(library, baselines);
  tables.operations.store(library, operations);
});

database.exec(`CREATE TABLE IF NOT EXISTS replicas (
  library TEXT, id TEXT, user TEXT, seen INTEGER, PRIMARY KEY (library, id)
) WITHOUT ROWID`);
const putReplica = database.prepare('INSERT OR REPLACE INTO replicas VALUES (?, ?, ?, ?)');
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
const secret = new TextEncoder().encode(tokenSecret);
const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['verify']);
const verified = (token) =>
  knowsReplicas ? jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'] }) : null;

let waiting = [];
const commit = () => {
  const batch = waiting;
  waiting = [];
  database.exec('BEGIN');
  for (const { library, message } of batch) tables.operations.store(library, message.operations);
  database.exec('COMMIT');
  for (const { socket, message } of batch)
    socket.send(`{"type":"server-ack","timestamp":"${message.timestamp}"}`);
};

/** Founds the library, or tells it: passes the pieces of the reply to `write`, which resolves when it can take more. */
const sync = async (token, message, write) => {
  const { lib: library, sub: user } = contentOf(token);
  if ((await verified(token)) !== null) putReplica.run(library, message.replicaId, user, Date.now());
  const head = `{"type":"sync-resp","ackedTimestamp":"${message.timestamp}"`;
  if (message.baselines.length + message.operations.length > 0) {
    found(library, message);
    return `${head},"overwriteLocalData":false,"baselines":[],"operations":[],"peerPresence":{}}`;
  }
  let text = `${head},"overwriteLocalData":true,"peerPresence":{}`;
  for (const kind of ['baselines', 'operations']) {
    let separator = `,"${kind}":[`;
    for (const texts of tables[kind].pages(library)) {
      text += separator + texts;
      separator = ',';
      if (text.length < 65_536) continue;
      await write(text);
      text = '';
    }
    text += separator === ',' ? ']' : `${separator}]`;
  }
  return `${text}}`;
};

const http = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const { messages } = JSON.parse(Buffer.concat(pieces));
  response.setHeader('Content-Type', 'application/json');
  const rest = await sync(request.headers.authorization.slice('Bearer '.length), messages.at(-1), (text) => {
    const isFirst = !response.headersSent;
    if (response.write(isFirst ? `{"messages":[${text}` : text)) return undefined;
    return new Promise((resolve) => response.once('drain', resolve));
  });
  response.end(`${response.headersSent ? '' : '{"messages":['}${rest}]}`);
});

const connect = (socket, token) => {
  const { lib: library } = contentOf(token);
  socket.on('message', async (data) => {
    const message = JSON.parse(data);
    if (message.type === 'op' && waiting.push({ library, socket, message }) === 1) setImmediate(commit);
    if (message.type !== 'sync') return;
    const rest = await sync(token, message, (text) => {
      const sent = new Promise((resolve) => socket.send(text, { fin: false }, resolve));
      return socket.bufferedAmount > 256 * 1024 ? sent : undefined;
    });
    socket.send(rest);
  });
};

const contentOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 0 });
sockets.on('connection', (socket, request) => {
  const [, token] = request.headers['sec-websocket-protocol'].split(/, ?/);
  connect(socket, token);
});
http.listen(Number(port), '127.0.0.1', () => console.log('listening'));
endAsTold();
