import { mkdtempSync, rmSync } from 'node:fs';
import { sqlShardStorage } from '@verdant-web/storage-sqlite';
const dir = mkdtempSync('/tmp/stor-');
const storage = sqlShardStorage({ databasesDirectory: dir });
const lib: any = await storage.open('lib' as any);
const at = (t: number) => `0001${t.toString(36).padStart(9, '0')}0000node-01`;
let head: any = { epoch: 0, version: 0, founded: true, order: 0, foldedThrough: 0, announcedAck: null, latest: null, horizon: null, soleAuthor: null, operations: 0, baselines: 0 };
let time = 1e6;
const PER = Number(process.argv[4] ?? 20), SLICE = Number(process.argv[2] ?? 200), N = Number(process.argv[3] ?? 3000);
const cpu = { commit: 0, foldable: 0, fold: 0 };
const use = () => { const u = process.cpuUsage(); return u.user + u.system; };
const base: any = { id: '', userId: 'u', type: 0, ackedOrder: 0, ackedTime: at(1), lastSeen: 1, writtenThrough: at(1), lastReset: null, pending: [] };
async function commit(rows: any, order = head.order, ops = 0) {
  const next = { ...head, version: head.version + 1, order, operations: head.operations + ops };
  const r = await lib.commit({ expect: { epoch: head.epoch, version: head.version }, head: next, ...rows });
  if (!r.ok) throw new Error('conflict'); head = next;
}
async function round(measure: boolean) {
  let u = use();
  for (let c = 0; c < 10; c++) {
    const operations = []; const rep = `replica-${c % 2}-0123456789012345678901234567`;
    for (let i = 0; i < PER; i++) { time++; operations.push({ order: head.order + 1 + i, replicaId: rep, oid: `items/${(time * 7) % 100}${time % 2 ? ':abc' : ''}`, timestamp: at(time), data: `{"op":"set","name":"title","value":"text ${time} of some length, as people write"}`, authz: null }); }
    await commit({ operations, replicas: [{ ...base, id: rep, writtenThrough: at(time) }] }, head.order + PER, PER);
  }
  let v = use(); if (measure) cpu.commit += v - u;
  if (head.operations >= 2000) for (;;) {
    u = use();
    const found = await lib.foldable({ after: 0, through: head.order - 300, before: at(time - 300), limit: SLICE });
    v = use(); if (measure) cpu.foldable += v - u;
    if (found.operations.length === 0) break;
    const oids = new Map<string, any>(); for (const o of found.operations) oids.set(o.oid, { oid: o.oid, snapshot: o.data, timestamp: o.timestamp, authz: null });
    await commit({ fold: found.operations.map((o: any) => o.order), baselines: [...oids.values()], dropKeys: [{ replicaId: 'replica-0-0123456789012345678901234567', through: at(1) }] }, head.order, -found.operations.length);
    u = use(); if (measure) cpu.fold += u - v;
  }
}
for (let i = 0; i < 400; i++) await round(false);
const n = N / 10; for (let i = 0; i < n; i++) await round(true);
const ops = n * 10 * PER;
console.log(`per op µs: commit ${(cpu.commit / ops).toFixed(2)} foldable ${(cpu.foldable / ops).toFixed(2)} fold ${(cpu.fold / ops).toFixed(2)} total ${((cpu.commit + cpu.foldable + cpu.fold) / ops).toFixed(2)}`);
await storage.close(); rmSync(dir, { recursive: true });
