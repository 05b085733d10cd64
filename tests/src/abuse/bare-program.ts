import { type AddressInfo, createServer } from 'node:net';

/* A TCP server that does nothing with what it is sent: what an attack costs others there, its own load costs them. */

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.resume();
});
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
