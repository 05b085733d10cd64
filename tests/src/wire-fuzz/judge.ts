import { CANARIES } from '../abuse/canaries.js';
import { SECRET } from '../server.js';
import { type Answer, answersIn, type Close, type Said } from './answers.js';
import type { Seen } from './exchange.js';
import type { TcpInput } from './inputs.js';
import { closeIn } from './sent-close.js';

/** What is wrong with how the server answered an input over a connection of its own. */
export function problemsOfAnswers(input: TcpInput, seen: Seen): string[] {
  const answers = answersIn(seen.text);
  const problems = answers.flatMap(problemsOf);
  const last = answers.at(-1);
  if (input.isWhole && seen.gaveUp) problems.push('no answer to a whole request');
  // A HEAD request is answered with the length of a body that does not come.
  const isHead = input.pieces[0]?.subarray(0, 5).toString() === 'HEAD ';
  if (last && !last.whole && !isHead && !seen.gaveUp) problems.push(`half an answer: ${last.head}`);
  if (input.forged && answers.some(({ status, body }) => status === 101 || body.startsWith('{"messages"')))
    problems.push('a forged token opened something');
  return [...problems, ...problemsOfText(seen.text), ...problemsOfEnd(seen)];
}

/** What is wrong with what the server said on a socket, on which this was sent last. */
export function problemsOfSocket({ messages, close }: Said, sent: Buffer, seen?: Seen): string[] {
  const problems = messages
    .filter((text) => !isMessage(text))
    .map((text) => `no message: ${text.slice(0, 300)}`);
  if (close && !isOwnClose(close) && !isEcho(close, sent))
    problems.push(`closed with ${close.code} "${close.reason}"`);
  const text = messages.join('\n');
  return [...problems, ...problemsOfText(text), ...(seen ? problemsOfEnd(seen) : [])];
}

function problemsOf({ status, head, body, whole }: Answer): string[] {
  if (status < 400 || !whole) return [];
  // Node refuses by itself what is no HTTP; 416 has nothing to say but its header.
  if (body === '' && (status === 416 || (NODES_OWN.has(status) && !head.includes('content-type')))) return [];
  // The answer to a HEAD.
  if (body === '' && head.includes('content-type: application/json') && status < 500) return [];
  const error = parsed(body) as { code?: unknown; message?: unknown } | undefined;
  const said = `${status} ${body.slice(0, 300)}`;
  if (typeof error?.code !== 'number' || typeof error.message !== 'string')
    return [`no error object: ${said}`];
  if (Math.floor(error.code / 10) !== status) return [`a code that is not its status: ${said}`];
  if (status === 429) return [`clients stop at this: ${said}`];
  if (status >= 500 && (status !== 503 || !head.includes('\r\nretry-after: ')))
    return [`an unexpected error: ${said}`];
  return [];
}

const NODES_OWN = new Set([400, 408, 413, 417, 431]);

const problemsOfText = (text: string): string[] => [
  ...[SECRET, CANARIES.elsewhere, CANARIES.private]
    .filter((secret) => text.includes(secret))
    .map((secret) => `an attacker was shown ${secret}`),
  ...(/\bat \S+ \(|node_modules|\.[jt]s:\d+/.test(text) ? ['an attacker was shown a stack'] : []),
];

const problemsOfEnd = ({ ended, text }: Seen): string[] =>
  ended ? [] : [`the connection was never ended; so far: ${text.slice(0, 200)}`];

/** Refusals have codes of ours and say why. */
const isOwnClose = ({ code, reason }: Close): boolean =>
  reason !== '' && (code === 1000 || code === 1013 || (code >= 4000 && code < 4999));

/** RFC 6455 has a peer's own close come back to it, whatever it says. */
const isEcho = (close: Close, sent: Buffer): boolean => {
  const own = closeIn(sent);
  return own !== undefined && own.code === close.code && own.reason === close.reason;
};

const isMessage = (text: string): boolean =>
  typeof (parsed(text) as { type?: unknown } | undefined)?.type === 'string';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
