import { join } from 'node:path';
import type { BaselineRow, OperationRow } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { buildProgram, type Program } from './testing/child.js';
import { temporaryDirectory } from './testing/temporary.js';

const ROUNDS = 8;

let program: Program;
beforeAll(async () => {
  program = await buildProgram('./writing-program.ts');
});
afterAll(() => program.dispose());

const kinds = {
  shard: (directory: string) => sqlShardStorage({ databasesDirectory: directory }),
  file: (directory: string) => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
};

test.each(Object.entries(kinds))(
  'what was acknowledged survives kill -9, commits are whole (%s)',
  async (kind, open) => {
    const directory = temporaryDirectory();
    let stored = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const writer = program.start(kind, directory);
      let acknowledged = 0;
      for (let commits = 0; commits < round * 5; commits++)
        acknowledged = Number((await writer.lines.next()).value);
      await writer.kill();
      for (let line = await writer.lines.next(); !line.done; line = await writer.lines.next()) {
        acknowledged = Number(line.value);
      }
      expect(acknowledged).toBeGreaterThan(stored);

      const storage = open(directory);
      const library = await storage.open('library' as LibraryId);
      const head = (await library.load(0))!.head;
      expect(head.order).toBeGreaterThanOrEqual(acknowledged);
      const operations: OperationRow[] = [];
      for await (const page of library.readOperations(0, Number.MAX_SAFE_INTEGER)) operations.push(...page);
      const expected = Array.from(
        { length: head.order - head.foldedThrough },
        (_, index) => head.foldedThrough + 1 + index,
      );
      expect(operations.map((row) => row.order)).toEqual(expected);
      expect(operations).toHaveLength(head.operations);
      const baselines: BaselineRow[] = [];
      for await (const page of library.readBaselines()) baselines.push(...page);
      expect(JSON.parse(baselines[0]!.snapshot)).toEqual({ folded: head.foldedThrough });
      const found = await library.foldable({
        after: 0,
        through: head.order,
        before: '1' as never,
        limit: 10_000,
      });
      expect(found.operations).toHaveLength(head.operations);
      stored = head.order;
      await storage.close();
    }
  },
);
