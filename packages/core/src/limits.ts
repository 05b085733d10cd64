import { defaultMessageLimits, type MessageLimits } from '@verdant-web/protocol';

/** Bounds on what a client may send or hold. Each is above what a real client's founding sync needs. */
export interface Limits extends MessageLimits {
  /** Bytes of one socket message or HTTP body. Default 256 MiB: a library is founded in one message. */
  maxMessageBytes: number;
  /**
   * A message that founds a library and is longer than this, in UTF-16 units, is read and stored a piece at a time: it
   * takes a little longer, and neither memory for all of it nor the time of others. Default 1 Mi.
   */
  maxWholeMessageLength: number;
  /** Bytes of one uploaded file. Default 100 MiB. */
  maxFileBytes: number;
  /** Sockets of one user in one library. Default 64. */
  maxConnectionsPerUser: number;
  /** Sockets in one library. Default 2,000. */
  maxConnectionsPerLibrary: number;
  /** Bytes that wait for a slow reader before its socket is closed. Default 64 MiB. */
  maxSocketBufferBytes: number;
  /** Bytes received on a socket that wait to be worked off before it is no longer read. Default 16 MiB. */
  maxQueuedBytesPerConnection: number;
  /**
   * Messages of one socket in a second, over a while: ten seconds' worth may come at once. Acks of what others
   * wrote do not count. Who sends more is read no faster than this. Default 5,000.
   */
  maxMessagesPerSecondPerConnection: number;
  /** Likewise of one user, over all sockets and HTTP. A request beyond is answered with 503. Default 20,000. */
  maxMessagesPerSecondPerUser: number;
  /** Likewise the length of a user's messages, in UTF-16 units. Default 32 Mi: at once, what founds the largest library. */
  maxBytesPerSecondPerUser: number;
  /** Likewise a user's sync requests and uploads over HTTP. Default 1,000. */
  maxRequestsPerSecondPerUser: number;
  /** How long a socket is slowed without a pause of ten seconds before it is closed. Default 60. */
  maxSlowedSeconds: number;
  /**
   * Bytes of one user, in all libraries, of messages and requests that have not arrived in full, and of requests that
   * wait. At least `maxMessageBytes`. Default 512 MiB.
   */
  maxUnfinishedBytesPerUser: number;
  /** Sockets and upgrades that are held before they are refused. Default 5,000; beyond, they are closed at once. */
  maxHeldRefusals: number;
  /** Bytes of a user's presence in one library, as JSON. Default 64 KiB. */
  maxPresenceBytes: number;
  /**
   * Changes of presence that the sockets of one library are told in a second, all together. Beyond, each is told the latest
   * of each user, when its turn comes. Default 20,000.
   */
  maxPresenceMessagesPerSecond: number;
}

/** The limits in force where none are given. */
export const defaultLimits: Limits = {
  ...defaultMessageLimits,
  maxMessageBytes: 256 * 1024 * 1024,
  maxWholeMessageLength: 1024 * 1024,
  maxFileBytes: 100 * 1024 * 1024,
  maxConnectionsPerUser: 64,
  maxConnectionsPerLibrary: 2_000,
  maxSocketBufferBytes: 64 * 1024 * 1024,
  maxQueuedBytesPerConnection: 16 * 1024 * 1024,
  maxMessagesPerSecondPerConnection: 5_000,
  maxMessagesPerSecondPerUser: 20_000,
  maxBytesPerSecondPerUser: 32 * 1024 * 1024,
  maxRequestsPerSecondPerUser: 1_000,
  maxSlowedSeconds: 60,
  maxUnfinishedBytesPerUser: 512 * 1024 * 1024,
  maxHeldRefusals: 5_000,
  maxPresenceBytes: 64 * 1024,
  maxPresenceMessagesPerSecond: 20_000,
};
