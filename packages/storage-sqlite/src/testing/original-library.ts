import type { Timestamp } from '@verdant-web/protocol';
import { formatTimestamp } from '@verdant-web/protocol';
import type { OriginalOperation, OriginalRows } from './original-files.js';

const START = Date.now() - 60 * 60 * 1000;

/** A time in the life of a library: that many seconds after it began, an hour ago. */
export const at = (seconds: number, node = 'n'): Timestamp =>
  formatTimestamp({ version: 1, ms: wallClock(seconds), counter: 0, node });

/** The same in ms. */
export const wallClock = (seconds: number): number => START + Math.round(seconds * 1000);

export const operation = (
  seconds: number,
  replicaId: string,
  more: Partial<OriginalOperation> = {},
): OriginalOperation => ({
  oid: 'items/1',
  timestamp: at(seconds),
  data: JSON.stringify({ op: 'set', name: 'at', value: seconds }),
  serverOrder: seconds,
  replicaId,
  ...more,
});

/** A library of two replicas in sync, with a bit of everything. */
export const usualLibrary = (): OriginalRows => ({
  baselines: [{ oid: 'items/1', snapshot: '{"id":"1","at":2}', timestamp: at(2) }],
  operations: [operation(3, 'ana'), operation(4, 'bob'), operation(5, 'ana')],
  replicas: [
    {
      id: 'ana',
      clientId: 'user-a',
      ackedLogicalTime: at(5),
      ackedServerOrder: 4,
      lastSeenWallClockTime: wallClock(5),
    },
    {
      id: 'bob',
      clientId: 'user-b',
      ackedLogicalTime: at(5),
      ackedServerOrder: 5,
      lastSeenWallClockTime: wallClock(6),
    },
  ],
  files: [
    { fileId: 'f1', name: 'a.png', type: 'image/png' },
    { fileId: 'f2', name: 'b.png', type: 'image/png', pendingDeleteAt: wallClock(3) },
  ],
});
