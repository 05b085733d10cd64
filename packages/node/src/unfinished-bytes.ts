import type { Duplex } from 'node:stream';
import type { SocketSession } from '@verdant-web/core';
import type { HeldWebSocket } from './held-websocket.js';

/**
 * Tells the engine how much it is of a message that has not arrived in full, which `ws` gathers in memory; and cuts off
 * whoever sends on and on after a close. Returns what ends it: nothing is gathered any more.
 */
export const tellUnfinished = (
  socket: HeldWebSocket,
  connection: Duplex,
  session: SocketSession,
): (() => void) => {
  let bytes = 0;
  let isWhole = false;
  let afterClose = 0;
  socket.on('message', () => {
    isWhole = true;
  });
  // No part of a message, though they may come in the middle of one.
  const passOver = (data: Buffer) => {
    bytes -= data.length + MASKED_HEADER_BYTES;
  };
  socket.on('ping', passOver);
  socket.on('pong', passOver);
  const arrived = (chunk: Buffer) => {
    if (socket.readyState !== socket.OPEN) {
      afterClose += chunk.length;
      if (afterClose > MAX_AFTER_CLOSE_BYTES) socket.terminate();
      return;
    }
    // `ws` listened first: a message that ends in this chunk was passed on. What follows it there is little.
    bytes = isWhole ? 0 : Math.max(0, bytes + chunk.length);
    isWhole = false;
    session.unfinished(bytes);
  };
  connection.on('data', arrived);
  return () => {
    connection.off('data', arrived);
    session.unfinished(0);
  };
};

/** Of a control frame of a client. */
const MASKED_HEADER_BYTES = 6;

/** What a client may have been sending as it was closed. */
const MAX_AFTER_CLOSE_BYTES = 1024 * 1024;
