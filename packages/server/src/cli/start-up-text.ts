import { resolve } from 'node:path';
import { type CliOptions, DEFAULT_PORT, isInsecure } from './options.js';

/** What the command says once it listens. */
export const startUpText = (
  options: CliOptions,
  { origin, port }: { origin: string; port: number },
): string => {
  const portOption = port === DEFAULT_PORT ? '' : `, { port: ${port} }`;
  return `
🌿 Verdant Server listening on ${origin}

Not for production: anyone can be any user here, and read and write every library.${
    isInsecure(options) ? '\nTokens are signed with a secret that everyone knows; --secret sets another.' : ''
  }

Connect a client:

  import { cliSync } from '@verdant-web/store';

  new ClientDescriptor({
    namespace: 'whatever',
    sync: cliSync('<library id>'${portOption}),
  });

or let it get its tokens from

  ${origin}/auth/<library id>?userId=<user id>

Libraries: ${resolve(options.database)}
Files:     ${resolve(options.files)}
`;
};

/** The server's address, as a client on this machine can use it. */
export const originOf = (host: string, port: number): string => {
  const isAnyAddress = ['0.0.0.0', '::', ''].includes(host);
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${isAnyAddress ? 'localhost' : name}:${port}`;
};
