import { StorageSchema } from "@verdant-web/common";
declare const schema: StorageSchema;
export default schema;

export type ItemSnapshot = {
  id: string;
  text: string;
  isDone: boolean;
  image: EntityFileSnapshot | null;
  createdAt: number;
};
export type ItemInit = {
  id?: string;
  text?: string;
  isDone?: boolean;
  image?: File | null;
  createdAt?: number;
};

export type MigrationTypes = {
  items: { init: ItemInit; snapshot: ItemSnapshot };
};
