/** A document of the collection that most scenarios use: a plain field, a list, a nested object, a map, a file. */
export interface Item {
  id: string;
  content: string;
  tags: string[];
  meta: { color: string | null; size: number };
  labels: Record<string, string>;
  purchased: boolean;
  /** The file's id. */
  image: string | null;
}

export type ItemInit = Partial<Omit<Item, 'id' | 'image'>>;

/** Fields that `update` may change: those without an identity of their own. */
export type ItemChanges = Partial<Pick<Item, 'content' | 'purchased' | 'meta'>>;

/** A snapshot as all clients can agree on it: of a file its id, for its URL differs between the device that has the bytes and the others. */
export function toItem(snapshot: Record<string, unknown>): Item {
  const { id, content, tags, meta, labels, purchased, image } = snapshot as unknown as Omit<Item, 'image'> & {
    image?: string | { id: string } | null;
  };
  const imageId = typeof image === 'string' ? image : (image?.id ?? null);
  return { id, content, tags, meta, labels, purchased, image: imageId };
}

export const byId = (a: { id: string }, b: { id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
