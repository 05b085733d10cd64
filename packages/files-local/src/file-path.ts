import { createHash } from 'node:crypto';

/** What decides where a file lies; all of it is client input. */
export interface FileIdentity {
  libraryId: string;
  id: string;
  name: string;
}

/** A file's place below the root folder: `<library>/<id>/<name>`. */
export type FilePath = readonly [library: string, id: string, name: string];

/**
 * Where a file lies. The only maker of paths in this package, and so the only place that has to guard them.
 *
 * Each component is made of `a-z 0-9 . _ -` alone and neither begins nor ends with a dot. That way
 *
 * - none leaves its folder, is hidden, or is a name that some file system reserves or rewrites;
 * - two ids never meet, even where `A` and `a` are one file (macOS, Windows) or accents are re-encoded (macOS);
 * - a URL made of them needs no escapes. That is no luxury: `serveStatic` of `@hono/node-server` answers 404 to any
 *   path with a `%` in it.
 */
export const filePath = ({ libraryId, id, name }: FileIdentity): FilePath => [
  component(libraryId),
  component(id),
  component(name, extensionOf(name)),
];

/** Whether a name on disk may be a component that {@link filePath} made. */
export const isPathComponent = (name: string): boolean => /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?$/.test(name);

const LONGEST_AS_IS = 64;
const READABLE_LENGTH = 40;
/** 128 bits, in hexadecimal digits: two ids with the same digest will not be met, and can hardly be made. */
const DIGEST_LENGTH = 32;

/** A component that needs no change stays as it is; others become `_<what is readable of it>-<digest><extension>`. */
const component = (text: string, extension = ''): string =>
  isPortable(text) ? text : `_${readablePart(text, extension)}-${digest(text)}${extension}`;

/** Never begins with `_`, so that no client can choose an id that is another one's changed form. */
const PORTABLE = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?$/;

/** Names that Windows gives to devices, in any folder and with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

const isPortable = (text: string): boolean =>
  text.length <= LONGEST_AS_IS && PORTABLE.test(text) && !DEVICE.test(text);

const readablePart = (text: string, extension: string): string =>
  text
    .slice(0, extension ? -extension.length : undefined)
    .slice(0, READABLE_LENGTH)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .slice(0, READABLE_LENGTH);

/** Of the UTF-16 units, for UTF-8 would make one character of all lone surrogates. */
const digest = (text: string): string =>
  createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, DIGEST_LENGTH);

/** The extension stays readable, because static file servers take the content type from it. */
const extensionOf = (name: string): string => /[^.](\.[a-z0-9]{1,16})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
