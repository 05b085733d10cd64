import { user } from './user.js';

/**
 * Where a client gets its access tokens. `verdant-server` believes anyone; your own server would look at its session
 * here, and decide whether this user may open this library.
 */
export const authEndpoint = (library: string): string =>
  `${import.meta.env.VITE_SYNC_ORIGIN}/auth/${library}?userId=${encodeURIComponent(user)}`;
