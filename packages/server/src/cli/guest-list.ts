import { isIP } from 'node:net';

/** Who may use a server that believes everyone: told by the page's origin, and by the name that the server is asked under. */
export interface GuestList {
  allowsOrigin(origin: string): boolean;
  allowsHost(host: string): boolean;
}

/** Where the server listens, and which pages elsewhere are welcome. */
export interface Welcome {
  host: string;
  /** Origins such as `https://app.example.com`; `*`: all. */
  origins: readonly string[];
}

/**
 * Pages of this machine, and of the origins that were named. Any page that its user happens to have open could otherwise
 * fetch a token here and read what is kept. The name matters too: a page can make its own name mean 127.0.0.1, and is then,
 * to the browser, a page of this server.
 */
export const guestList = ({ host, origins }: Welcome): GuestList => {
  if (origins.includes('*')) return { allowsOrigin: () => true, allowsHost: () => true };
  const named = new Set(origins);
  const names = new Set([host.toLowerCase(), ...origins.map((origin) => hostNameOf(origin))]);
  return {
    allowsOrigin: (origin) => named.has(origin) || isThisMachine(hostNameOf(origin)),
    allowsHost: (text) => {
      const name = hostNameOf(`http://${text}`);
      // An address is no name that somebody else could make point here.
      return names.has(name) || isThisMachine(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
    },
  };
};

/** Empty where there is none, which is the name of nobody. */
const hostNameOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).hostname : '');

/** Browsers never ask another machine for these. */
const isThisMachine = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d+){3}$/.test(name);
