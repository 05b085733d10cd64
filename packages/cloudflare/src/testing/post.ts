import { Agent, request } from 'node:http';

// Few sockets, for workerd refuses many that come at once.
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** What is answered to a text. Suites make thousands of calls: `fetch` would take four times as long of our own processor. */
export const post = (url: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
      answer.on('error', reject);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // Workerd closed the connection, which had been idle, before it saw the request.
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(post(url, body));
      else reject(error);
    });
    sent.end(body);
  });
