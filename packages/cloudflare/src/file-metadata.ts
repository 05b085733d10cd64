import type { StoredFile } from '@verdant-web/core';
import type { BucketMetadata, BucketObject } from './r2-platform.js';

/** What is kept with the bytes: metadata is sent as headers, and has 2 KB in all. */
export const metadataOf = ({ name, type }: Pick<StoredFile, 'name' | 'type'>): BucketMetadata => ({
  customMetadata: { name: encoded(name), type: encoded(type) },
});

/** What the file is called and said to be. */
export const describedBy = ({ customMetadata = {} }: BucketObject): { name: string; type: string } => ({
  name: decoded(customMetadata.name),
  type: decoded(customMetadata.type),
});

/** The end says what it is, as in `.png`; so the beginning is cut. */
const encoded = (text: string): string => {
  const encode = (part: string) => encodeURIComponent(part.replace(/\p{Surrogate}/gu, '\ufffd'));
  let kept = text.slice(-MAX_LENGTH);
  while (encode(kept).length > MAX_LENGTH) kept = [...kept].slice(1).join('');
  return encode(kept);
};

const MAX_LENGTH = 900;

const decoded = (text = ''): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
};
