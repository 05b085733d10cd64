import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';

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

/** The most memory that a process had resident, in bytes, ever or since {@link forgetPeakMemory}. */
export const peakMemory = (pid: number): number => memory(pid, 'VmHWM');

/** The memory that a process has resident now, in bytes. */
export const residentMemory = (pid: number): number => memory(pid, 'VmRSS');

/** From now on {@link peakMemory} is that of what follows. */
export const forgetPeakMemory = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** How many files of this ending a process has open. */
export function openFiles(pid: number, ending: string): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => pathOf(`${folder}/${name}`).endsWith(ending)).length;
}

function memory(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const line = status.split('\n').find((one) => one.startsWith(`${field}:`));
  return Number.parseInt(line!.slice(field.length + 1), 10) * 1024;
}

function pathOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    // It was closed meanwhile.
    return '';
  }
}
