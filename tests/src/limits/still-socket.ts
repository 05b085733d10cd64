import type { SocketSession, SocketTransport } from '@verdant-web/core';
import type { Composed } from '../wire-rules/servers.js';
import { tokenFor } from '../wire-rules/tokens.js';

/** A socket without a network, so that each byte can be counted: what the engine does with it is noted. */
export class StillSocket implements SocketTransport {
  readonly sent: string[] = [];
  closedWith: number | undefined;
  isPaused = false;
  bufferedBytes = 0;
  session!: SocketSession;

  static async open({ core, base }: Composed, library: string, user: string): Promise<StillSocket> {
    const socket = new StillSocket();
    socket.session = core.connect(await core.authenticate(tokenFor(base, library, user)), socket);
    return socket;
  }

  /** Sends so many heartbeats. */
  beat(count: number): void {
    for (let sent = 0; sent < count; sent++) this.session.receive('{"type":"heartbeat"}');
  }

  send(text: string): void {
    this.sent.push(text);
  }

  async stream(pieces: AsyncIterable<string>): Promise<void> {
    let text = '';
    for await (const piece of pieces) text += piece;
    this.sent.push(text);
  }

  close(code: number): void {
    this.closedWith = code;
    this.session.closed(false);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}
