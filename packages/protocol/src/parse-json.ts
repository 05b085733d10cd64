import { VerdantError, VerdantErrorCode } from './errors.js';

/**
 * `JSON.parse` for what a stranger sent. Depth is measured on the text, so that no later walk over the value can
 * overflow the stack.
 *
 * @param maxDepth how deep objects and lists may be nested; 1 is a list of primitives
 * @throws VerdantError `InvalidRequest` where the text is no JSON or nested too deep
 */
export function parseJson(text: string, maxDepth: number): unknown {
  if (isDeeperThan(text, maxDepth)) {
    throw new VerdantError(VerdantErrorCode.InvalidRequest, `JSON is nested deeper than ${maxDepth} levels`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes the text, which must not reach a log.
    throw new VerdantError(VerdantErrorCode.InvalidRequest, 'not valid JSON');
  }
}

const quote = 34;
const backslash = 92;

function isDeeperThan(json: string, maxDepth: number): boolean {
  // Nearly all messages have fewer brackets than they may have levels: ten times faster than to follow them.
  if (hasAtMost(json, maxDepth)) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === quote) {
      i = endOfString(json, i);
      if (i === -1) return false;
    } else if (code === 91 || code === 123) {
      if (++depth > maxDepth) return true;
    } else if (code === 93 || code === 125) {
      depth--;
    }
  }
  return false;
}

function hasAtMost(json: string, brackets: number): boolean {
  let found = 0;
  for (let i = json.indexOf('['); i !== -1; i = json.indexOf('[', i + 1)) {
    if (++found > brackets) return false;
  }
  for (let i = json.indexOf('{'); i !== -1; i = json.indexOf('{', i + 1)) {
    if (++found > brackets) return false;
  }
  return true;
}

/** Position of the quote that closes the string opened at `start`, or -1. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}
