// A run of the lab: one cluster, from its first namespace to its last file. Everything that a run makes is named after
// the run's id, and the record of the run exists before anything else does, so that whoever comes later can remove all of it.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isAlive, type ProcessIdentity } from './processes.ts';

const runsFolder = '/run/calico-lab';
const recordName = 'run.json';

export interface Run {
  /** Lower-case letters, digits and dashes. */
  readonly id: string;
  /** The process that answers for the run and removes it at its end. */
  readonly owner: ProcessIdentity;
  /** Mode 0700. Every file of the run is in here. */
  readonly folder: string;
}

/** The name of a run is taken by one that exists. */
export class RunExistsError extends Error {
  override readonly name = 'RunExistsError';
}

/** Makes the folder and the record of a run, which this process then owns. @throws RunExistsError */
export function createRun(id: string): Run {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(id)) {
    throw new RangeError(`"${id}" cannot name a cluster: use up to 32 lower-case letters, digits and dashes`);
  }
  const owner = identifyProcess(process.pid);
  if (!owner) throw new Error('Cannot read this process in /proc; is it mounted?');
  mkdirSync(runsFolder, { recursive: true, mode: 0o700 });
  // Written aside and moved into place: a run that can be seen has a record, whenever its maker dies.
  const draft = join(runsFolder, `.${owner.pid}.${owner.startTime}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(join(draft, recordName), `${JSON.stringify({ owner })}\n`, { mode: 0o600 });
  try {
    renameSync(draft, join(runsFolder, id));
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new RunExistsError(`There is already a cluster "${id}" in ${join(runsFolder, id)}`, {
      cause: error,
    });
  }
  return { id, owner, folder: join(runsFolder, id) };
}

/** Undefined when there is no such run. */
export function findRun(id: string): Run | undefined {
  const folder = join(runsFolder, id);
  try {
    const { owner } = JSON.parse(readFileSync(join(folder, recordName), 'utf8')) as {
      owner: ProcessIdentity;
    };
    return { id, owner, folder };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Runs whose owner died without removing them. */
export function abandonedRuns(): Run[] {
  const runs: Run[] = [];
  for (const id of foldersOf(runsFolder)) {
    if (id.startsWith('.')) {
      removeDeadDraft(id);
      continue;
    }
    const run = findRun(id);
    if (run && !isAlive(run.owner)) runs.push(run);
  }
  return runs;
}

/** What the names of the run's network namespaces begin with, before a dot: no id holds one, so no run's names begin like another's. */
export function namespacePrefix(id: string): string {
  return `calico-lab-${id}`;
}

/** Everything of a node lies under here: sockets, credentials, state, logs. */
export function nodeRoot(run: Run, node: string): string {
  return join(run.folder, 'nodes', node);
}

/** Files of the lab's router, which runs as another user and could not get into the run's own folder. */
export function routerFolder(run: Run): string {
  return `${runsFolder}-router.${run.id}`;
}

function removeDeadDraft(name: string): void {
  const [, pid, startTime] = name.split('.');
  if (!isAlive({ pid: Number(pid), startTime: startTime ?? '' })) {
    rmSync(join(runsFolder, name), { recursive: true, force: true });
  }
}

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
