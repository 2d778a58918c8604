// Processes of a run: found by a mark in their environment, which a process has from its first instruction on, so that
// no list of them has to survive the death of whoever started them. A pid alone names nobody: it may be somebody else's by now.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process for as long as it lives: `startTime` is in clock ticks after boot (proc(5), field 22 of stat). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** The variable whose value is the run's id in every process of the run. */
export const runVariable = 'CALICO_LAB_RUN';

/** Undefined when there is no such process, or only its remains that its parent has not collected. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  // The command's name is in parentheses and may hold anything, parentheses too; the fields after it are numbers.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields?.[0], fields?.[19]];
  return startTime === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startTime };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identifyProcess(process.pid)?.startTime === process.startTime;
}

/** Every process that carries the run's mark, but for the one that asks. */
export function processesOfRun(id: string): ProcessIdentity[] {
  const mark = `${runVariable}=${id}`;
  const found: ProcessIdentity[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (!readProc(`/proc/${pid}/environ`)?.split('\0').includes(mark)) continue;
    const identity = identifyProcess(pid);
    if (identity) found.push(identity);
  }
  return found;
}

/** Asks the processes to end, and ends those by force that have not after `graceMs`. Resolves once all are gone. */
export async function endProcesses(processes: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  for (const process of processes) signal(process, 'SIGTERM');
  const forceAt = performance.now() + graceMs;
  let forced = false;
  let left = processes.filter(isAlive);
  while (left.length > 0) {
    if (!forced && performance.now() >= forceAt) {
      for (const process of left) signal(process, 'SIGKILL');
      forced = true;
    }
    // The kernel reports the end of a process to its parent alone, and these are not our children.
    await delay(10);
    left = left.filter(isAlive);
  }
}

function signal(target: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    // It ended between the look and the signal: what was wanted has happened.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Processes come and go while /proc is read; one that is gone is simply not there, whatever the errno says.
    return undefined;
  }
}
