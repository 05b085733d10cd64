import type { Verdant } from './bundle.js';

/** A document of the one collection that all scenarios use: a plain field, a list, a nested object, a map, a file. */
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

/** The same schema in the builder of either generation. */
export function itemsSchema({ schema }: Verdant): unknown {
  const { string, number, boolean, file, array, map, object } = schema.fields;
  return schema({
    version: 1,
    collections: {
      items: schema.collection({
        name: 'item',
        primaryKey: 'id',
        fields: {
          id: string(),
          content: string({ default: '' }),
          tags: array({ items: string() }),
          meta: object({
            properties: { color: string({ nullable: true }), size: number({ default: 0 }) },
            default: { color: null, size: 0 },
          }),
          labels: map({ values: string() }),
          purchased: boolean({ default: false }),
          image: file({ nullable: true }),
        },
      }),
    },
  });
}

/** A snapshot as all clients can agree on it: of a file its id, for its URL differs between the device that has the bytes and the others. */
export function toItem(snapshot: Record<string, unknown>): Item {
  const { image, ...fields } = snapshot as unknown as Omit<Item, 'image'> & { image?: { id: string } | null };
  return { ...fields, image: image?.id ?? null };
}

export const byId = (a: Item, b: Item): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
