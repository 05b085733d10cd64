import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { waitFor } from '../until.js';

/**
 * A WebSocket written by hand on a bare TCP connection: for frames, handshakes and silences that no library sends.
 * `from` is the loopback address that it comes from: refusals are slowed down by address.
 */
export class RawSocket {
  /** Everything that the server sent, as Latin-1. */
  text = '';
  ended = false;
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      this.text += String(data);
    });
    const end = () => {
      this.ended = true;
    };
    socket.on('close', end);
    socket.on('end', end);
    socket.on('error', end);
  }

  static async open(port: number, from?: string): Promise<RawSocket> {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ...(from === undefined ? {} : { localAddress: from }),
    });
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return raw;
  }

  /** Opens the connection and completes the handshake. */
  static async upgraded(port: number, token: string, from?: string): Promise<RawSocket> {
    const raw = await RawSocket.open(port, from);
    raw.write(upgradeRequest({ protocols: `Bearer, ${token}` }));
    await waitFor(() => raw.text.includes('\r\n\r\n'), { describe: () => raw.text });
    if (!raw.text.startsWith('HTTP/1.1 101')) throw new Error(`not upgraded: ${raw.text}`);
    return raw;
  }

  write(data: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  /** The HTTP answer, once it is all there. */
  async answer(deadline = 8_000): Promise<{ status: number; headers: string; body: string }> {
    await waitFor(() => this.ended || isWhole(this.text), {
      deadline,
      describe: () => this.text || 'no answer',
    });
    const [head = '', body = ''] = this.text.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), headers: head, body };
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function isWhole(text: string): boolean {
  const [head, body] = text.split('\r\n\r\n');
  const length = head?.match(/content-length: (\d+)/i)?.[1];
  return body !== undefined && length !== undefined && body.length >= Number(length);
}

export function upgradeRequest({
  path = '/verdant',
  protocols,
  key = randomBytes(16).toString('base64'),
  version = '13',
  method = 'GET',
  more = '',
}: {
  path?: string;
  protocols?: string | undefined;
  key?: string;
  version?: string;
  method?: string;
  more?: string;
} = {}): string {
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Version: ${version}`,
    `Sec-WebSocket-Key: ${key}`,
    ...(protocols === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
    ...(more ? [more] : []),
    '',
    '',
  ].join('\r\n');
}

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;

export interface FrameOptions {
  opcode?: number;
  fin?: boolean;
  masked?: boolean;
  /** Reserved bits, 0 to 7. */
  reserved?: number;
  /** The length that the header claims, where it is not that of the payload. */
  claims?: bigint;
  /** Four bytes. Default: others each time. */
  mask?: Buffer;
}

/** One frame as a client sends it. */
export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = TEXT, fin = true, masked = true, reserved = 0, claims, mask = randomBytes(4) } = options;
  const data = Buffer.from(payload as string);
  const length = claims ?? BigInt(data.length);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const flag = masked ? 0x80 : 0;
  let header: Buffer;
  if (length < 126n) header = Buffer.from([first, flag | Number(length)]);
  else if (length < 65_536n) {
    header = Buffer.from([first, flag | 126, 0, 0]);
    header.writeUInt16BE(Number(length), 2);
  } else {
    header = Buffer.concat([Buffer.from([first, flag | 127]), Buffer.alloc(8)]);
    header.writeBigUInt64BE(length, 2);
  }
  if (!masked) return Buffer.concat([header, data]);
  const body = Buffer.from(data.map((byte, index) => byte ^ mask[index % 4]!));
  return Buffer.concat([header, mask, body]);
}
