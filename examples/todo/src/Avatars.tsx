import { Avatar } from './Avatar.js';
import { usePeers } from './peers.js';
import { user } from './user.js';

/** Who is here: you, and everyone else who is connected. */
export function Avatars({ isOnline }: { isOnline: boolean }) {
  const peers = usePeers();
  // The client goes on remembering whom it saw last.
  const others = isOnline ? peers.map((peer) => peer.id) : [];
  return (
    <ul className="avatars" aria-label="Here now">
      {[user, ...others].map((name) => (
        <li key={name}>
          <Avatar name={name} note={name === user ? 'you' : undefined} />
        </li>
      ))}
    </ul>
  );
}
