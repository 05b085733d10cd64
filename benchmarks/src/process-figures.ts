import { readFileSync } from 'node:fs';

/** USER_HZ, in which Linux tells the time of processes, is 100 on all its platforms. */
const TICKS_PER_SECOND = 100;

/** Processor seconds that a process has used, all its threads together, as the operating system counts them. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold anything; the fields that follow begin with the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  return (user! + system!) / TICKS_PER_SECOND;
}

/** The most memory that a process ever had resident, in bytes. */
export function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
