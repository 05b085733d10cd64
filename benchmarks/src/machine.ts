import { cpus, loadavg, release, totalmem } from 'node:os';
import { versions } from 'node:process';

/** What figures depend on, and how busy it was when the first run began. */
export function machineFacts() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    linux: release(),
    node: versions.node,
    v8: versions.v8,
    loadAverageBefore: loadavg()[0]!,
  };
}

export type MachineFacts = ReturnType<typeof machineFacts>;
