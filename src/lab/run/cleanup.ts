// Removing a run: its processes, its network namespaces, its files, in this order, from nothing but its id. It works as well
// from inside the run at its end as from another process after the run's owner was killed.
import { readdirSync, rmSync } from 'node:fs';
import { deleteNamespace } from '../../kernel/index.ts';
import { endProcesses, processesOfRun } from './processes.ts';
import { abandonedRuns, findRun, namespacePrefix, type Run, routerFolder } from './run.ts';

const namespacesFolder = '/run/netns';
const graceMs = 2_000;

/** Ends and deletes everything of a run but the process that asks; does nothing where nothing is left. */
export async function removeRun(run: Run): Promise<void> {
  await endProcesses(processesOfRun(run.id), graceMs);
  // A namespace lives as long as a process is in it or a socket of one is; so they go after the processes.
  for (const name of namespacesOfRun(run.id)) deleteNamespace(name);
  rmSync(routerFolder(run), { recursive: true, force: true });
  // The record goes last, with the folder: as long as anything is left, the run can be found and removed again.
  for (const entry of readdirSync(run.folder)) {
    if (entry !== 'run.json') rmSync(`${run.folder}/${entry}`, { recursive: true, force: true });
  }
  rmSync(run.folder, { recursive: true, force: true });
}

/** Removes every run whose owner died without doing so itself, and returns their ids. */
export async function removeAbandonedRuns(): Promise<string[]> {
  const runs = abandonedRuns();
  for (const run of runs) await removeRun(run);
  return runs.map(({ id }) => id);
}

/** What is left of a run, one phrase each; empty when nothing is. */
export function leftovers(id: string): string[] {
  const run = findRun(id);
  return [
    ...processesOfRun(id).map(({ pid }) => `process ${pid}`),
    ...namespacesOfRun(id).map((name) => `network namespace ${name}`),
    ...(run ? [`folder ${run.folder}`] : []),
  ];
}

function namespacesOfRun(id: string): string[] {
  try {
    const prefix = `${namespacePrefix(id)}.`;
    return readdirSync(namespacesFolder).filter((name) => name.startsWith(prefix));
  } catch (error) {
    // Nobody has ever made a named namespace on this machine.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
