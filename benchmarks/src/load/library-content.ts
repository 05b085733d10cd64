/** Of so many objects, one has been changed since it was last folded. */
export const OBJECTS_PER_CHANGE = 10;

/** Baselines of so many objects, as the text of a list: documents of two objects each, a list nested in an item. */
export function baselinesText(objects: number, now: () => string): string {
  return textOf(objects, (object) => {
    const root = rootOf(object);
    return object % 2 === 0
      ? { oid: root, snapshot: itemOf(object), timestamp: now() }
      : { oid: `${root}:tags`, snapshot: tagsOf(object), timestamp: now() };
  });
}

/** So many operations, as the text of a list: on each of the objects in turn. */
export function changesText(operations: number, objects: number, now: () => string): string {
  return textOf(operations, (operation) => changeOf(operation % objects, now()));
}

const textOf = (length: number, item: (index: number) => object): string =>
  Array.from({ length }, (_, index) => JSON.stringify(item(index))).join();

/** An operation on one of the objects. */
function changeOf(object: number, timestamp: string): object {
  if (object % 2 === 1) {
    return {
      oid: `${rootOf(object)}:tags`,
      timestamp,
      data: { op: 'list-set', index: 1, value: `list ${object % 89}` },
    };
  }
  const value = `what was said at ${timestamp} about item ${object} of a list`;
  return { oid: rootOf(object), timestamp, data: { op: 'set', name: 'note', value } };
}

// Even objects are documents. Padded, as ids of a real client have a length.
const rootOf = (object: number) => `items/${String(object - (object % 2)).padStart(10, '0')}`;

const tagsOf = (object: number) => ['home', `list ${object % 97}`, 'to be done this week'];

const itemOf = (object: number) => ({
  title: `Item ${object}`,
  done: object % 3 === 0,
  note: 'what an item of a list may say',
  tags: { '@@type': 'ref', id: `${rootOf(object)}:tags` },
});
