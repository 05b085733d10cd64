import { ClientDescriptor } from './client/index.js';
import { createHooks } from './client/react.js';
import { authEndpoint } from './sync.js';
import { user } from './user.js';

/** What others see of a user while that user is connected. Nothing of it is kept. */
export interface Presence {
  /** The id of the item that the user has the cursor in. */
  editing: string | null;
}

/** What the server knows of a user. `verdant-server` knows an id; here that is the name. */
export interface Profile {
  id: string;
}

/** The local database of this user, which is where everything is read and written; sync happens behind it. */
export const store = new ClientDescriptor<Presence, Profile>({
  // A database for each user, so that ?user= makes this browser a device of someone else.
  namespace: `todo-${user}`,
  sync: {
    authEndpoint: authEndpoint('todo'),
    initialPresence: { editing: null },
    defaultProfile: { id: user },
    // A socket from the start. Left to itself, the client polls every 15 s until it learns that someone else is there.
    initialTransport: 'realtime',
    automaticTransportSelection: false,
  },
});

export const hooks = createHooks<Presence, Profile>();
