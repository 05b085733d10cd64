import type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationRow,
  ReplicaRow,
  Storage,
} from '@verdant-web/core';
import type { LibraryId, Oid } from '@verdant-web/protocol';

/** Everything that a library holds, as its storage tells it. */
export interface LibraryRows {
  head: Head;
  operations: OperationRow[];
  baselines: BaselineRow[];
  replicas: ReplicaRow[];
  access: AccessRow[];
  files: FileRow[];
}

/** Reads a library; of access and files, those that are asked for. Null: it never had a commit. */
export async function readLibrary(
  storage: Storage,
  id: string,
  { roots = [], files = [] }: { roots?: string[]; files?: string[] } = {},
): Promise<LibraryRows | null> {
  const library = await storage.open(id as LibraryId);
  const loaded = await library.load(0);
  if (!loaded) return null;
  const operations: OperationRow[] = [];
  for await (const page of library.readOperations(0, Number.MAX_SAFE_INTEGER)) operations.push(...page);
  const baselines: BaselineRow[] = [];
  for await (const page of library.readBaselines()) baselines.push(...page);
  const facts = await library.lookup({ keys: [], replicas: [], access: roots as Oid[], objects: [] });
  const found = await Promise.all(files.map((file) => library.readFile(file)));
  return {
    head: loaded.head,
    operations,
    baselines,
    replicas: await library.readReplicas(),
    access: facts.access,
    files: found.filter((file) => file !== null),
  };
}

export async function libraryIds(storage: Storage, after?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of storage.list(after as LibraryId)) ids.push(id);
  return ids;
}
