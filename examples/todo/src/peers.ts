import { hooks } from './store.js';
import { user } from './user.js';

/**
 * Every other user who is connected. Another device of yours is told of before you are, so the client may take you for
 * one of them. Filter here: `useFindPeers` does not render again when somebody ceases to match its query.
 */
export const usePeers = () => hooks.useFindPeers(() => true).filter((peer) => peer.id !== user);
