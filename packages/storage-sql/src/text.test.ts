import { expect, test } from 'vitest';
import { decodeText, encodeText } from './text.js';

const SAMPLES = [
  '',
  'items/1:a',
  'é😀漢',
  '\0',
  'a\0b',
  '\u001b',
  '\u001b0000',
  '\ud800',
  '\udc00x',
  '\udc00\ud800',
  '\ud83d\ude00',
];

test('any string comes back, through text that is well-formed and has no NUL', () => {
  const everyUnit = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
  const changed = [...SAMPLES, ...everyUnit].filter((text) => decodeText(encodeText(text)) !== text);
  expect(changed).toEqual([]);
  const encoded = [...SAMPLES, ...everyUnit].map(encodeText).join(' ');
  expect(encoded.includes('\0')).toBe(false);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  expect(decoder.decode(new TextEncoder().encode(encoded)) === encoded).toBe(true);
});

test('ordinary strings stay as they are', () => {
  for (const text of ['', 'items/1:a', 'é😀漢', '\n\t"\\%', '\ufffd\uffff'])
    expect(encodeText(text)).toBe(text);
});

test('different strings stay different, and a prefix that ends at a colon stays a prefix', () => {
  expect(new Set(SAMPLES.map(encodeText)).size).toBe(SAMPLES.length);
  for (const one of SAMPLES) {
    for (const other of SAMPLES)
      expect(encodeText(`${one}:${other}`)).toBe(`${encodeText(one)}:${encodeText(other)}`);
  }
});
