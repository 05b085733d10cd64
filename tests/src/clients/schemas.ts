import type { MigrationProcedure, SchemaBuilder, Verdant } from './bundle.js';

/** The app's schema: the first, and a later one in which items have a `priority`. */
export type SchemaVersion = 1 | 2;

/** What a client of the app is opened with; the same in the builder of either generation. */
export function appSchema({ schema, createMigration }: Verdant, version: SchemaVersion) {
  const first = build(schema, 1);
  const migrations = [createMigration(first)];
  if (version === 1) return { schema: first, oldSchemas: [first], migrations };
  const second = build(schema, 2);
  migrations.push(createMigration(first, second, prioritise));
  return { schema: second, oldSchemas: [first, second], migrations };
}

/** What had a priority by its tags before there was a field for it. */
const prioritise: MigrationProcedure = async ({ migrate }) => {
  await migrate('items', (item) => ({
    ...item,
    priority: (item.tags as string[]).includes('urgent') ? 9 : 1,
  }));
};

function build(schema: SchemaBuilder, version: SchemaVersion): unknown {
  const { string, number, boolean, file, array, map, object, any } = schema.fields;
  return schema({
    version,
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
          ...(version === 2 && { priority: number({ default: 1 }) }),
        },
      }),
      boards: schema.collection({
        name: 'board',
        primaryKey: 'id',
        fields: {
          id: string(),
          title: string({ default: '' }),
          cards: array({
            items: object({ properties: { title: string(), done: boolean({ default: false }) } }),
          }),
          notes: map({ values: string() }),
          extra: any({ default: null }),
        },
      }),
    },
  });
}
