/** @generated - do not modify this file. */

// src/schema.ts
import { schema } from "@verdant-web/store";
var schema_default = schema({
  version: 1,
  collections: {
    items: schema.collection({
      name: "item",
      primaryKey: "id",
      fields: {
        id: schema.fields.string({ default: () => crypto.randomUUID() }),
        text: schema.fields.string({ default: "" }),
        isDone: schema.fields.boolean({ default: false }),
        image: schema.fields.file({ nullable: true }),
        createdAt: schema.fields.number({ default: () => Date.now() })
      },
      indexes: {
        createdAt: { field: "createdAt" }
      }
    })
  }
});
export {
  schema_default as default
};
