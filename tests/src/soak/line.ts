import { WebSocket } from 'ws';
import { tokenFor } from '../wire-rules/tokens.js';

/** What a server says, as far as a device that only keeps up needs to know it. */
export interface ServerMessage {
  type: string;
  timestamp?: string;
  ackedTimestamp?: string;
  operations?: { timestamp: string }[];
}

/** An open socket, from the device's side. */
export interface Socket {
  send(message: object): void;
  /** Breaks it, without a word. */
  terminate(): void;
}

export interface SocketEvents {
  open(): void;
  message(message: ServerMessage): void;
  closed(): void;
}

/** How one device reaches its server. */
export interface Line {
  connect(events: SocketEvents): Socket;
  post(messages: object[]): Promise<ServerMessage[]>;
}

/** Over the network. */
export function networkLine(base: string, library: string, user: string): Line {
  const url = `${base}/verdant`;
  const token = () => tokenFor(base, library, user);
  return {
    connect: (events) => {
      const socket = new WebSocket(url.replace(/^http/, 'ws'), ['Bearer', token()]);
      socket.on('open', events.open);
      socket.on('message', (data) => events.message(JSON.parse(String(data)) as ServerMessage));
      socket.on('error', () => {});
      socket.on('close', events.closed);
      return {
        send: (message) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
        },
        terminate: () => socket.terminate(),
      };
    },
    post: async (messages) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token()}` },
        body: JSON.stringify({ messages }),
      });
      if (!response.ok) throw new Error(`a poll was answered ${response.status}: ${await response.text()}`);
      return ((await response.json()) as { messages: ServerMessage[] }).messages;
    },
  };
}
