import type * as Y from 'yjs';
import { cpuSeconds } from '../process-figures.js';
import { connectYjs, yjsItem } from './yjs-replica.js';

/* A document on hocuspocus that is filled by one, and then loaded by fresh replicas, one after the other. */

export interface YjsFirstLoadLoad {
  base: string;
  serverPid: number;
  objects: number;
  measureMs: number;
}

export interface YjsFirstLoadFigures {
  loads: number;
  /** For one of them. */
  serverCpuSeconds: number;
}

const LEAST_LOADS = 5;
const load = JSON.parse(process.argv[2]!) as YjsFirstLoadLoad;

const founder = await connectYjs(load.base, 'the-document');
founder.doc.transact(() => {
  const items = founder.doc.getMap<Y.Map<unknown>>('items');
  for (let object = 0; object < load.objects; object++) items.set(String(object), yjsItem(object));
});
await new Promise<void>((resolve) => {
  const look = () => {
    if (founder.unconfirmed === 0) resolve();
  };
  founder.onConfirmed = look;
  look();
});

async function loadIt(): Promise<void> {
  const fresh = await connectYjs(load.base, 'the-document');
  const found = fresh.doc.getMap('items').size;
  fresh.close();
  if (found !== load.objects) throw new Error(`A fresh replica found ${found} objects, not ${load.objects}`);
}

const warmUntil = performance.now() + load.measureMs;
while (performance.now() < warmUntil) await loadIt();
const started = performance.now();
const before = cpuSeconds(load.serverPid);
let loads = 0;
for (; loads < LEAST_LOADS || performance.now() - started < load.measureMs; loads++) await loadIt();
const figures: YjsFirstLoadFigures = {
  loads,
  serverCpuSeconds: (cpuSeconds(load.serverPid) - before) / loads,
};
process.send!(figures, () => process.exit());
