import { Avatar } from './Avatar.js';
import type { Item } from './client/index.js';
import { ItemImage } from './ItemImage.js';
import { usePeers } from './peers.js';
import { hooks } from './store.js';

export function ItemRow({ item }: { item: Item }) {
  const client = hooks.useClient();
  const { id, text, isDone, image } = hooks.useWatch(item);
  const editors = usePeers().filter((peer) => peer.presence.editing === id);

  return (
    <li className="item" data-done={isDone}>
      <input
        type="checkbox"
        checked={isDone}
        onChange={(event) => item.set('isDone', event.target.checked)}
        aria-label={`${text} is done`}
      />
      <input
        className="text"
        value={text}
        // Each field merges by itself: one may tick an item off while another words it better.
        onChange={(event) => item.set('text', event.target.value)}
        onFocus={() => client.sync.presence.update({ editing: id })}
        onBlur={() => client.sync.presence.update({ editing: null })}
        aria-label={`Text of ${text}`}
      />
      {editors.map((peer) => (
        <Avatar key={peer.id} name={peer.id} note="editing" />
      ))}
      <ItemImage file={image} of={text} onPick={(file) => item.set('image', file)} />
      <button
        type="button"
        className="remove"
        onClick={() => client.items.delete(id)}
        aria-label={`Remove ${text}`}
      >
        ×
      </button>
    </li>
  );
}
