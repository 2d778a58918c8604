// One run of the cluster under test: its folder, its namespaces, its cgroups; and the removal of all that, from nothing but its
// id, by the run itself or by a later one that finds it abandoned.
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteNamespace } from '../../src/kernel/index.ts';
import {
  endProcesses,
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  processesOfRun,
  runVariable,
} from '../../src/lab/run/processes.ts';

const prefix = 'calico-cluster-';
const record = 'owner.json';

export interface RunFolder {
  readonly id: string;
  readonly path: string;
  /** What every process of the run has in its environment, by which it is found again. */
  readonly mark: NodeJS.ProcessEnv;
}

/** Makes the folder of a run that this process answers for; removes first what dead owners left. */
export async function createRunFolder(): Promise<RunFolder> {
  await removeAbandonedRuns();
  const id = `${prefix}${process.pid}`;
  const path = join(tmpdir(), id);
  // Overlays of these folders are laid over them in every node: what lies below them would be out of sight.
  if (/^\/(etc|opt|run|var)\//.test(path))
    throw new Error(`Set TMPDIR to a folder outside of /var: it is ${tmpdir()}`);
  mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(path, record), JSON.stringify(identifyProcess(process.pid)));
  return { id, path, mark: { [runVariable]: id } };
}

/** What runs have left whose process has ended without removing it, as on a signal. */
export async function removeAbandonedRuns(): Promise<void> {
  for (const id of abandoned()) await removeRunFolder(id);
}

/** Ends and deletes everything of a run; does nothing where nothing is left. */
export async function removeRunFolder(id: string): Promise<void> {
  // Whoever is process 1 of a node takes everything with it that ran there, pods too.
  await endProcesses(processesOfRun(id), 2_000);
  for (const name of namespacesOf(id)) deleteNamespace(name);
  removeCgroups(id);
  rmSync(join(tmpdir(), id), { recursive: true, force: true });
}

/** The cgroup of a run under each controller; nodes have theirs below it. Paths as in /sys/fs/cgroup. */
export function cgroupFolders(id: string): string[] {
  return globSync('/sys/fs/cgroup/*/cgroup.procs').map((file) => join(file, '..', id));
}

/** What is left of a run, one phrase each; empty when nothing is. */
export function leftovers(id: string): string[] {
  return [
    ...processesOfRun(id).map(({ pid }) => `process ${pid}`),
    ...namespacesOf(id).map((name) => `network namespace ${name}`),
    ...globSync(`/sys/fs/cgroup/*/${id}`).map((folder) => `cgroup ${folder}`),
    ...globSync(join(tmpdir(), id)).map((folder) => `folder ${folder}`),
  ];
}

function abandoned(): string[] {
  return readdirSync(tmpdir()).filter((name) => {
    if (!name.startsWith(prefix)) return false;
    try {
      return !isAlive(JSON.parse(readFileSync(join(tmpdir(), name, record), 'utf8')) as ProcessIdentity);
    } catch {
      // Its owner died before it had written who it is.
      return true;
    }
  });
}

function namespacesOf(id: string): string[] {
  return globSync(`/run/netns/${id}.*`).map((path) => path.slice('/run/netns/'.length));
}

/** Of a run, or with "run/node" of one node, none of whose processes may be left. Leaves first: a cgroup with others below it cannot be removed. */
export function removeCgroups(path: string): void {
  for (const top of globSync(`/sys/fs/cgroup/*/${path}`)) {
    const folders = [top, ...globSync('**/', { cwd: top }).map((folder) => join(top, folder))];
    for (const folder of folders.toSorted((a, b) => b.length - a.length)) {
      // Some controllers have two names, and are gone by the second.
      if (existsSync(folder)) rmdirSync(folder);
    }
  }
}
