import type { ItemFilter } from './client/index.js';
import { ItemRow } from './ItemRow.js';
import { hooks } from './store.js';

/** Outside the component: to the hook, another object is another query. */
const OLDEST_FIRST: ItemFilter = { where: 'createdAt', order: 'asc' };

export function ItemList() {
  // A live query: it renders again whenever an item comes or goes, whoever did it.
  const items = hooks.useAllItems({ index: OLDEST_FIRST });
  if (items.length === 0) return <p className="empty">Nothing to do. Add the first item above.</p>;
  return (
    <ul className="items" aria-label="Items">
      {items.map((item) => (
        <ItemRow key={item.get('id')} item={item} />
      ))}
    </ul>
  );
}
