import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Where a file lies in a bucket: `<library>/<id>`. Both are client input, of any length and with any characters. */
export const fileKey = (file: { libraryId: string; id: string }): string =>
  `${component(file.libraryId)}/${component(file.id)}`;

/** A name as the last segment of a URL: for people, and for what they save the file as. The file's own is in its metadata. */
export const segmentOf = (name: string): string => {
  const text = encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\ufffd'));
  return /^\.*$/.test(name) || text.length > LONGEST_NAME ? 'file' : text;
};

const LONGEST_NAME = 1_000;

/** A key has at most 1,024 bytes; and a URL made of such components needs no escapes. */
const AS_IS = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/** Others become a digest, of their UTF-16 units: UTF-8 would make one character of all lone surrogates. */
const component = (text: string): string => (AS_IS.test(text) ? text : `_${digest(text)}`);

const digest = (text: string): string => {
  const units = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    units[2 * index] = unit & 0xff;
    units[2 * index + 1] = unit >> 8;
  }
  return bytesToHex(sha256(units));
};
