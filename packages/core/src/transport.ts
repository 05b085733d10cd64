import type { VerdantError } from '@verdant-web/protocol';

/** One socket, as the transport that accepted it offers it to the engine. */
export interface SocketTransport {
  /** Send one message. Messages and streams leave in the order in which they were handed over. */
  send(text: string): void;
  /**
   * Send one message in pieces, taking the next only when the socket can. Resolves when the last was taken,
   * rejects when the socket is gone or the pieces fail; after a failure half a message was sent and the socket is closed.
   */
  stream(pieces: AsyncIterable<string>): Promise<void>;
  /** Close with a WebSocket close code and a reason (cut to 123 bytes). Nothing is sent afterwards. */
  close(code: number, reason: string): void;
  /** Stop reading from the network until {@link resume}: more came than was worked off. */
  pause(): void;
  resume(): void;
  /** Bytes handed over that the network has not taken yet. */
  readonly bufferedBytes: number;
}

/** The engine's side of a socket. None of its methods throws. */
export interface SocketSession {
  /** A text frame arrived. */
  receive(text: string): void;
  /** So many bytes have arrived of a message that is not whole; 0: there is none. What is in memory counts, not what is announced. */
  unfinished(bytes: number): void;
  /** Something arrived that the engine need not see (a binary frame, one over the limit): refuse it, slowly. */
  refuse(error: VerdantError): void;
  /** The socket is gone. `tookLeave`: the client closed it, rather than that it broke off or the server did. */
  closed(tookLeave: boolean): void;
}
