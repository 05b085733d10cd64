import { WebSocket } from 'ws';

/**
 * A WebSocket that does not close by itself on a frame that breaks the rules (one over the size limit, or text that is
 * no UTF-8), but tells of it. Closed at once, its client would be back at once, with the same frame.
 */
export class HeldWebSocket extends WebSocket {
  /** Told once, with the close code that the protocol has for it. From then on nothing is read from this socket. */
  onBrokenFrame: ((code: number) => void) | undefined;

  /** Closes, whatever the code. */
  closeNow(code: number, reason: Buffer): void {
    this.onBrokenFrame = undefined;
    super.close(code, reason);
  }

  /** What `ws` calls, on a broken frame among other things. */
  override close(code?: number, data?: string | Buffer): void {
    const tell = this.onBrokenFrame;
    if (tell && code !== undefined && this.readyState === WebSocket.OPEN && BROKEN_FRAME_CODES.has(code)) {
      this.onBrokenFrame = undefined;
      tell(code);
      return;
    }
    super.close(code, data);
  }
}

/** What `ws` closes with by itself. Browsers cannot send these; a peer that did would merely be held. */
const BROKEN_FRAME_CODES = new Set([1002, 1007, 1008, 1009]);
