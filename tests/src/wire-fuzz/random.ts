import { RandomJson } from '../wire-rules/random-json.js';

/** All that is random about one input: the same seed and number make the same input. */
export class Random extends RandomJson {
  static of(seed: number, number: number): Random {
    return new Random((Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** One of the makers, which is then called. */
  one<T>(...makers: readonly (() => T)[]): T {
    return this.pick(makers)();
  }

  /** Some text that parsers stumble over, of up to `most` characters. */
  oddText(most = 200): string {
    const pieces = Array.from({ length: 1 + this.below(5) }, () => this.pick(ODD));
    return pieces.join('').slice(0, most);
  }
}

const ODD = [
  'a',
  'x=y',
  '\t',
  ' ',
  '\\',
  '"',
  "'",
  ';',
  ',',
  ':',
  '/',
  '//',
  '../',
  '..%2f',
  '%00',
  '%',
  '%zz',
  '%c0%ae',
  '?',
  '#',
  '*',
  '=',
  '\u00e9',
  '\u00ff',
  '\\\\\\\\',
  '~',
  '-',
  '.',
  '__proto__',
  '$1',
  '{{7*7}}',
  '<script>',
  "' OR 1=1 --",
  '9'.repeat(40),
  'A'.repeat(100),
  '\u007f',
];
