import { hooks } from './store.js';

/**
 * Everyone else who is connected. Filter what it returns: `useFindPeers` does not render again when somebody ceases to
 * match its query.
 */
export const usePeers = () => hooks.useFindPeers(() => true);
