/** What a process has used so far, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** Ticks a second of /proc/PID/stat; 100 on every Linux that we run on. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process, user and system, in milliseconds; steps of 10 ms. */
export function cpuMsOf(processId: number): number {
  const fields = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Memory of a process that is in RAM, in megabytes of 2^20 bytes. */
export function memoryMbOf(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** CPU time of this process, in milliseconds. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
