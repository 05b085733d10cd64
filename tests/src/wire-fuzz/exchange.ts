import { connect, type Socket } from 'node:net';
import { frame, upgradeRequest } from '../wire-rules/raw-socket.js';
import { answersIn, type Said, saidIn } from './answers.js';
import type { Aim, TcpInput } from './inputs.js';
import { goodToken } from './token-inputs.js';

/** What became of an input. */
export interface Seen {
  /** All that the server sent, as Latin-1. */
  text: string;
  /** Whether the server ended the connection when it was told that no more comes, or before. */
  ended: boolean;
  /** Whether the sender said so before it had all its answers. */
  gaveUp: boolean;
}

/** Nothing came for so long: what was sent may be no whole request, and the server waits for its end. */
const QUIET_MS = 200;
/** A server that has not let go of a connection by then never will. */
const PATIENCE_MS = 30_000;

/** Each comes from an address of its own: refusals are slowed down by address. */
const addressOf = (number: number): string =>
  `127.${1 + (Math.floor(number / 62_500) % 250)}.${Math.floor(number / 250) % 250}.${1 + (number % 250)}`;

/** Sends an input over a connection of its own, and sees what comes back. */
export async function exchange(
  port: number,
  number: number,
  { pieces, answers, isWhole }: TcpInput,
): Promise<Seen> {
  const line = await Line.open(port, number);
  if (!line) return { text: '', ended: true, gaveUp: true };
  for (const piece of pieces) line.write(piece);
  const hasAnswers = () => {
    const got = answersIn(line.text).filter(({ whole }) => whole);
    return got.length >= answers || got.some(({ status }) => status === 101);
  };
  if (answers > 0) await line.until(hasAnswers, isWhole ? PATIENCE_MS : QUIET_MS);
  const gaveUp = !line.ended && !hasAnswers();
  return { text: line.text, ended: await line.end(), gaveUp };
}

/** A socket that has synced, for frames. */
export class SyncedSocket {
  readonly #line: Line;
  readonly #from: number;
  /** Whether it lived and read on after what was sent last. */
  lives = true;
  /** Numbers of what was sent on it. */
  readonly numbers: number[] = [];
  /** What was sent on it last, from the beginning of a frame on. */
  sent: Buffer = Buffer.alloc(0);

  private constructor(line: Line, from: number) {
    this.#line = line;
    this.#from = from;
  }

  static async open(port: number, number: number, aim: Aim): Promise<SyncedSocket | undefined> {
    const line = await Line.open(port, number);
    if (!line) return undefined;
    line.write(Buffer.from(upgradeRequest({ protocols: `Bearer, ${goodToken(aim)}` })));
    await line.until(() => line.text.includes('\r\n\r\n'), PATIENCE_MS);
    const socket = new SyncedSocket(line, line.text.indexOf('\r\n\r\n') + 4);
    if (!line.text.startsWith('HTTP/1.1 101')) {
      line.destroy();
      return undefined;
    }
    const sync = {
      type: 'sync',
      operations: [],
      baselines: [],
      schemaVersion: 1,
      since: null,
      timestamp: zero,
    };
    for (const message of [{ type: 'presence-update', presence: {} }, sync]) {
      line.write(frame(JSON.stringify({ replicaId: aim.replica, ...message })));
    }
    await socket.send([], true);
    return socket;
  }

  /** Sends frames, and a heartbeat behind them. Whether the socket lives and reads on. */
  async send(frames: readonly Buffer[], isWhole: boolean): Promise<boolean> {
    const line = this.#line;
    const before = line.text.length;
    const written = [...frames, HEARTBEAT];
    for (const one of written) line.write(one);
    this.sent = Buffer.concat(written);
    const isAnswered = () => line.text.indexOf('{"type":"heartbeat-response"}', before) >= 0;
    const isDone = () => isAnswered() || this.said.close !== undefined;
    await line.until(isDone, isWhole ? PATIENCE_MS : QUIET_MS);
    this.lives = isAnswered() && this.said.close === undefined && !line.ended;
    return this.lives;
  }

  /** Whether the connection broke off. */
  get hasEnded(): boolean {
    return this.#line.ended;
  }

  get said(): Said {
    return saidIn(this.#line.text, this.#from);
  }

  async end(): Promise<Seen> {
    const ended = await this.#line.end();
    return { text: this.#line.text, ended, gaveUp: true };
  }

  /** What was said so far need not be looked at again. */
  forget(): void {
    this.#line.text = this.#line.text.slice(0, this.#from);
  }
}

const zero = '00010000000000000fuzzer0';
/** The same bytes each time: behind a broken frame they may be read as something else. */
const HEARTBEAT = frame('{"type":"heartbeat"}', { mask: Buffer.from([1, 2, 3, 4]) });

/** A bare TCP connection. */
class Line {
  text = '';
  ended = false;
  readonly #socket: Socket;
  #wake = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      this.text += String(data);
      this.#wake();
    });
    const end = () => {
      this.ended = true;
      this.#wake();
    };
    socket.on('close', end);
    socket.on('error', end);
  }

  /** Undefined where no connection came about. */
  static async open(port: number, number: number): Promise<Line | undefined> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(number), noDelay: true });
    const line = new Line(socket);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    return isOpen ? line : undefined;
  }

  write(bytes: Buffer): void {
    if (!this.#socket.destroyed && !this.ended) this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when that is so, the connection has ended, or nothing comes any more. */
  async until(condition: () => boolean, quietMs: number): Promise<void> {
    let seen = -1;
    while (!condition() && !this.ended && seen !== this.text.length) {
      seen = this.text.length;
      await this.#something(quietMs);
    }
  }

  /** Says that no more comes, and waits for the other side to say so too: false where it does not. */
  async end(): Promise<boolean> {
    this.#socket.end();
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.ended && Date.now() < deadline) await this.#something(deadline - Date.now());
    this.#socket.destroy();
    return this.ended;
  }

  #something(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }
}
