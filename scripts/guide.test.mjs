// docs/write-your-own-backend.md shows the backend of examples/custom-storage, all of it and nothing else.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const guide = read('docs/write-your-own-backend.md');
const shown = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code.trimEnd());
const source = (name) => read(`examples/custom-storage/src/${name}`);

test('the guide walks through the whole file of the backend, in its order', () => {
  const parts = shown.filter((code) => source('json-file-storage.ts').includes(code));
  const squeeze = (text) => text.replace(/\n+/g, '\n').trim();
  expect(squeeze(parts.join('\n'))).toBe(squeeze(source('json-file-storage.ts')));
});

test.each(['json-file-storage.test.ts', 'json-file-storage.writer.ts'])(
  'the guide shows %s as it is',
  (name) => {
    expect(shown).toContain(source(name).trim());
  },
);

test('the backend has less than 150 lines of code', () => {
  const lines = source('json-file-storage.ts').split('\n');
  const code = lines.filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/\*\*|\*)/.test(line));
  expect(code.length).toBeGreaterThan(100);
  expect(code.length).toBeLessThan(150);
});
