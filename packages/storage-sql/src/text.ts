const ESCAPE = '\u001b';

/** NUL and lone surrogates, which SQLite's TEXT does not keep, and the escape itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to find
const UNSAFE = /[\0\u001b]|\p{Surrogate}/u;
const ALL_UNSAFE = new RegExp(UNSAFE, 'gu');

/**
 * Any JavaScript string, as TEXT that comes back the same. What is nearly every string stays as it is, and a prefix
 * stays a prefix, so that ranges work.
 */
export function encodeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(ALL_UNSAFE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** The string that {@link encodeText} was given. */
export function decodeText<Text extends string>(text: string): Text {
  if (!text.includes(ESCAPE)) return text as Text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape
  return text.replace(/\u001b([0-9a-f]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  ) as Text;
}

export const encodeOptional = (text: string | null): string | null =>
  text === null ? null : encodeText(text);

export const decodeOptional = <Text extends string>(text: string | null): Text | null =>
  text === null ? null : decodeText<Text>(text);
