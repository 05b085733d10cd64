import type * as Y from 'yjs';
import { cpuSeconds } from '../process-figures.js';
import { connectYjs, yjsItem } from './yjs-replica.js';

/*
 * One document on hocuspocus, as the library of fan-out: writers that always have `window` changes under way; everybody
 * is told. Changes may be told together, so what arrived is counted by what documents say, not by messages.
 */

export interface YjsFanOutLoad {
  base: string;
  serverPid: number;
  sockets: number;
  writers: number;
  window: number;
  warmUpMs: number;
  measureMs: number;
}

export interface YjsFanOutFigures {
  seconds: number;
  serverCpuSeconds: number;
  delivered: number;
}

const OBJECTS_OF_A_WRITER = 100;
const load = JSON.parse(process.argv[2]!) as YjsFanOutLoad;
let delivered = 0;

const replicas = await Promise.all(
  Array.from({ length: load.sockets }, () => connectYjs(load.base, 'the-document')),
);
const writers = replicas.slice(0, load.writers);

for (const [index, { doc }] of replicas.entries()) {
  // How far each writer has come is told with each of its changes.
  const rounds = doc.getMap<number>('rounds');
  const seen = new Map<string, number>();
  rounds.observe((event) => {
    for (const writer of event.keysChanged) {
      const round = rounds.get(writer)!;
      if (writer !== String(index)) delivered += round - (seen.get(writer) ?? 0);
      seen.set(writer, round);
    }
  });
}

for (const [index, writer] of writers.entries()) {
  const items = writer.doc.getMap<Y.Map<unknown>>(`items of ${index}`);
  const rounds = writer.doc.getMap<number>('rounds');
  let round = 0;
  const write = () => {
    const object = round % OBJECTS_OF_A_WRITER;
    round++;
    writer.doc.transact(() => {
      const item = items.get(String(object));
      if (item) item.set('note', `what round ${round} has to say about an item of a list`);
      else items.set(String(object), yjsItem(object));
      rounds.set(String(index), round);
    });
  };
  let writing = false;
  const fill = () => {
    // A change is told of as it is made, too.
    if (writing) return;
    writing = true;
    while (writer.unconfirmed < load.window) write();
    writing = false;
  };
  writer.onConfirmed = fill;
  fill();
}

await new Promise((resolve) => setTimeout(resolve, load.warmUpMs));
delivered = 0;
const started = performance.now();
const before = cpuSeconds(load.serverPid);
await new Promise((resolve) => setTimeout(resolve, load.measureMs));
const figures: YjsFanOutFigures = {
  seconds: (performance.now() - started) / 1000,
  serverCpuSeconds: cpuSeconds(load.serverPid) - before,
  delivered,
};
process.send!(figures, () => process.exit());
