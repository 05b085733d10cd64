/** One HTTP answer, as it stands in what a server sent. */
export interface Answer {
  status: number;
  /** In lower case, up to the empty line. */
  head: string;
  body: string;
  /** Whether all of it is here. */
  whole: boolean;
  /** Where in the text it ends. */
  end: number;
}

/** The answers in what came over one connection, but for those that only announce another (1xx, but 101). */
export function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; text.startsWith('HTTP/1.', at); ) {
    const bodyAt = text.indexOf('\r\n\r\n', at) + 4;
    if (bodyAt < 4) {
      answers.push({ status: 0, head: text.slice(at), body: '', whole: false, end: text.length });
      break;
    }
    const status = Number(text.slice(at + 9, at + 12));
    const head = text.slice(at, bodyAt - 4).toLowerCase();
    const { body, end, whole } = bodyFrom(text, bodyAt, head, status);
    if (status === 101 || status >= 200) answers.push({ status, head, body, whole, end });
    if (status === 101) break;
    at = end;
  }
  return answers;
}

function bodyFrom(text: string, at: number, head: string, status: number) {
  // A HEAD request is answered with the length of a body that does not come.
  const isWithout = status < 200 || status === 204 || status === 304 || text.startsWith('HTTP/1.', at);
  if (isWithout) return { body: '', end: at, whole: true };
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) {
    const end = at + Number(length);
    return { body: text.slice(at, end), end: Math.min(end, text.length), whole: end <= text.length };
  }
  if (!head.includes('\r\ntransfer-encoding: chunked')) return { body: '', end: at, whole: true };
  let body = '';
  for (let from = at; ; ) {
    const lineEnd = text.indexOf('\r\n', from);
    const size = Number.parseInt(text.slice(from, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size) || text.length < lineEnd + size + 4)
      return { body, end: text.length, whole: false };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    from = lineEnd + size + 4;
    if (size === 0) return { body, end: from, whole: true };
  }
}

/** What a frame that closes says. */
export interface Close {
  /** 1005 stands for none. */
  code: number;
  reason: string;
}

/** What a server said on a socket: its messages, and how it closed. */
export interface Said {
  messages: string[];
  close: Close | undefined;
}

/** The frames in what a server sent after its handshake, as Latin-1. */
export function saidIn(text: string, from: number): Said {
  const bytes = Buffer.from(text.slice(from), 'latin1');
  const said: Said = { messages: [], close: undefined };
  let pieces: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1]! & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + head > bytes.length) break;
    const length =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    const payload = bytes.subarray(at + head, at + head + length);
    if (payload.length < length) break;
    const opcode = bytes[at]! & 15;
    if (opcode === 8) {
      said.close = closeOf(payload);
    } else if (opcode < 3) {
      pieces.push(payload);
      if (bytes[at]! & 0x80) {
        said.messages.push(Buffer.concat(pieces).toString());
        pieces = [];
      }
    }
    at += head + length;
  }
  return said;
}

export const closeOf = (payload: Buffer): Close => ({
  code: payload.length < 2 ? 1005 : payload.readUInt16BE(0),
  reason: payload.subarray(2).toString(),
});
