/*
 * What one server carries, from what each thing that it does costs: additions and divisions, so that they can be done anew when
 * a cost changes. What it leaves out is said in docs/performance.md.
 */

/** What things cost the server: processor time in µs, memory in KiB. */
export interface UnitCosts {
  /** A change that comes alone: read, stored, acknowledged, and folded later. */
  write: number;
  /** Telling one other socket of it, and taking its acknowledgement. */
  delivery: number;
  /** A heartbeat, which clients send every 15 s. */
  heartbeat: number;
  /** An object of a first sync. */
  objectTold: number;
  socketKiB: number;
  /** A library in memory, with its file open. */
  libraryKiB: number;
  /** A flush to disk, in µs of waiting: of each commit, where each library has a file of its own. */
  flush: number;
}

/** An app, as the server sees it while people use it. */
export interface App {
  name: string;
  /** Who are connected to a library at the same time. */
  socketsOfALibrary: number;
  /** Of each of them. */
  writesPerMinute: number;
  /** First syncs of each of them: new devices, cleared browsers. */
  firstSyncsPerDay: number;
  objects: number;
}

export interface Server {
  /** Of one core: Node runs one turn after the other, and what is beyond half of it makes others wait. */
  usableShare: number;
  memoryGiB: number;
  /** How many libraries' files are open at once. */
  openFiles: number;
}

export interface Capacity {
  /** At the same time. */
  users: number;
  saturatesFirst: 'processor' | 'flushes' | 'memory';
  libraries: number;
  writesPerSecond: number;
  deliveriesPerSecond: number;
}

const HEARTBEATS_PER_SECOND = 1 / 15;
const SECONDS_OF_A_DAY = 86_400;
/** Of the memory, for V8 and what is not counted. */
const BASE_GIB = 0.25;

/** Seconds of processor for one second of this much. */
export const processorShare = (
  costs: UnitCosts,
  perSecond: { writes: number; deliveries: number; heartbeats: number; objectsTold: number },
): number =>
  (perSecond.writes * costs.write +
    perSecond.deliveries * costs.delivery +
    perSecond.heartbeats * costs.heartbeat +
    perSecond.objectsTold * costs.objectTold) /
  1e6;

export function capacityOf(app: App, costs: UnitCosts, server: Server): Capacity {
  const writes = app.writesPerMinute / 60;
  const deliveries = writes * (app.socketsOfALibrary - 1);
  const processorOfAUser = processorShare(costs, {
    writes,
    deliveries,
    heartbeats: HEARTBEATS_PER_SECOND,
    objectsTold: (app.firstSyncsPerDay * app.objects) / SECONDS_OF_A_DAY,
  });
  // A commit of the change, and one of what it let be folded. While the disk flushes, all else waits.
  const flushesOfAUser = (2 * writes * costs.flush) / 1e6;
  const byTurns = server.usableShare / (processorOfAUser + flushesOfAUser);
  const byMemory = usersInMemory(app, costs, server);
  const users = Math.min(byTurns, byMemory);
  const saturatesInTurns = flushesOfAUser > processorOfAUser ? 'flushes' : 'processor';
  return {
    users,
    saturatesFirst: byMemory < byTurns ? 'memory' : saturatesInTurns,
    libraries: users / app.socketsOfALibrary,
    writesPerSecond: users * writes,
    deliveriesPerSecond: users * deliveries,
  };
}

/** Of libraries beyond `openFiles` the file is closed, and only what they are to the engine stays. */
function usersInMemory({ socketsOfALibrary }: App, costs: UnitCosts, server: Server): number {
  const ofAUser = costs.socketKiB + CLOSED_LIBRARY_KIB / socketsOfALibrary;
  const files = server.openFiles * costs.libraryKiB;
  return ((server.memoryGiB - BASE_GIB) * KIB_OF_A_GIB - files) / ofAUser;
}

/** A library in memory whose file is closed: an estimate. */
const CLOSED_LIBRARY_KIB = 10;
const KIB_OF_A_GIB = 1024 * 1024;
