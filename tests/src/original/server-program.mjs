// The published original server, 2.1.2, on a port and a database file, with the endpoint for tokens that the tests expect.
// A process of its own: it is other people's code, and must not end ours.
import { createServer } from 'node:http';
import { Server, TokenProvider } from 'verdant-server-original';

const [port, databaseFile, tokenSecret] = process.argv.slice(2);
const tokens = new TokenProvider({ secret: tokenSecret });
const http = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, `http://localhost:${port}`);
  if (!pathname.startsWith('/auth/')) return void verdant.handleRequest(request, response);
  const accessToken = tokens.getToken({
    userId: searchParams.get('userId'),
    libraryId: decodeURIComponent(pathname.slice('/auth/'.length)),
    syncEndpoint: `http://localhost:${port}/verdant`,
    expiresIn: '1d',
  });
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ accessToken }));
});
const verdant = new Server({ tokenSecret, databaseFile, log: () => {} });
http.on('upgrade', verdant.handleUpgrade);
http.listen(Number(port), 'localhost', () => console.log('listening'));
