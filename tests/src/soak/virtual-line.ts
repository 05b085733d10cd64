import type { SocketSession, Verdant } from '@verdant-web/core';
import type { VirtualTime } from '../../simulation/virtual-time.js';
import type { Line, ServerMessage, Socket, SocketEvents } from './line.js';

const LATENCY_MS = 20;
const DAY_MS = 86_400_000;

type Token = Parameters<Verdant['connect']>[0];

/** To an engine in this process, in virtual time. */
export function virtualLine(core: Verdant, time: VirtualTime, library: string, user: string): Line {
  const token = (): Token =>
    ({
      userId: user,
      libraryId: library,
      syncEndpoint: 'http://soaked',
      fileEndpoint: 'http://soaked/files',
      type: 0,
      role: undefined,
      expiresAt: time.now() + DAY_MS,
    }) as Token;
  return {
    connect: (events) => openSocket(core, time, token(), events),
    post: async (messages) => {
      let text = '';
      for await (const piece of await core.request(token(), JSON.stringify({ messages }))) text += piece;
      return (JSON.parse(text) as { messages: ServerMessage[] }).messages;
    },
  };
}

function openSocket(core: Verdant, time: VirtualTime, token: Token, events: SocketEvents): Socket {
  let isOpen = true;
  let session: SocketSession | undefined;
  const deliver = (text: string) =>
    void time.schedule(LATENCY_MS, () => isOpen && events.message(JSON.parse(text) as ServerMessage));
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    session?.closed(false);
    events.closed();
  };
  const transport = {
    bufferedBytes: 0,
    send: deliver,
    stream: async (pieces: AsyncIterable<string>) => {
      let text = '';
      for await (const piece of pieces) text += piece;
      deliver(text);
    },
    close: () => void time.schedule(0, end),
    pause: () => {},
    resume: () => {},
  };
  time.schedule(LATENCY_MS, () => {
    if (!isOpen) return;
    session = core.connect(token, transport);
    events.open();
  });
  return {
    send: (message) =>
      void time.schedule(LATENCY_MS, () => {
        if (isOpen) session?.receive(JSON.stringify(message));
      }),
    terminate: end,
  };
}
