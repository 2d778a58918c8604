// Makes a cluster that shows a fault as small as it can be: takes away objects, then fields and items of what is left, and keeps
// what still shows it. Nothing is left that the API would refuse, but for what it would have refused before.
import type { Cluster } from '../../src/policy/index.ts';
import type { Resource } from '../../src/resources/index.ts';
import { faultsOf } from './faults-of.ts';

export interface ShrinkOptions {
  /** Whether this cluster shows the fault, too; one that it throws for does not. */
  readonly fails: (cluster: Cluster) => boolean | Promise<boolean>;
  /** Told the time that is left, so to speak: ends the search with what has been found by then. */
  readonly isOver?: () => boolean;
}

type Plain = Record<string, unknown>;

/** What objects cannot be without; and pods' nodes and namespaces, which are there whether anybody speaks of them or not. */
const needed = new Set([
  'action',
  'cidr',
  'containers',
  'containerPort',
  'defaultEndpointToHostAction',
  'destinationPort',
  'from',
  'image',
  'key',
  'kubernetes.io/metadata.name',
  'name',
  'namespaces',
  'node',
  'nodeName',
  'number',
  'operator',
  'pods',
  'podSelector',
  'port',
  'priority',
  'protocol',
  'range',
  'serviceAccountName',
  'start',
  'end',
  'subject',
  'to',
  'values',
]);
const kept = new Set(['namespaces', 'nodes', 'felixConfiguration']);

/** Returns a cluster of which every smaller one that was tried does not fail; the same one when none does. */
export async function shrink(
  cluster: Cluster,
  { fails, isOver = () => false }: ShrinkOptions,
): Promise<Cluster> {
  let smallest = cluster;
  const failsAtAll = async (smaller: Cluster): Promise<boolean> => {
    try {
      return await fails(smaller);
    } catch {
      // Whatever it shows, it is not what is looked for; and what has been found by now must not be lost.
      return false;
    }
  };
  const known = new Set(faultsOf(cluster));
  const isValid = (smaller: Cluster) => faultsOf(smaller).every((fault) => known.has(fault));
  const attempt = async (smaller: Cluster): Promise<boolean> => {
    if (isOver() || !isValid(smaller) || !(await failsAtAll(smaller))) return false;
    smallest = smaller;
    return true;
  };
  for (let before: Cluster | undefined; before !== smallest; ) {
    before = smallest;
    for (const kind of Object.keys(smallest)) {
      if (!kept.has(kind)) await dropItems(kind as keyof Cluster, () => smallest, attempt);
    }
    for (const kind of Object.keys(smallest))
      await dropFields(kind as keyof Cluster, () => smallest, attempt);
  }
  return smallest;
}

type Attempt = (smaller: Cluster) => Promise<boolean>;

/** All of a kind at once, else halves, else one by one. */
async function dropItems(kind: keyof Cluster, current: () => Cluster, attempt: Attempt): Promise<void> {
  const lengthOf = () => (current()[kind] as readonly Resource[] | undefined)?.length ?? 0;
  for (let size = lengthOf(); size > 0; size = Math.floor(size / 2)) {
    for (let start = lengthOf() - size; start >= 0; start -= size) {
      const list = [...(current()[kind] as readonly Resource[])];
      list.splice(start, size);
      await attempt({ ...current(), [kind]: list });
    }
  }
}

/** The outer ones first: with a field goes all that is in it. */
async function dropFields(kind: keyof Cluster, current: () => Cluster, attempt: Attempt): Promise<void> {
  for (let done = new Set<string>(); ; ) {
    const whole = { [kind]: current()[kind] } as Plain;
    const path = pathsIn(whole).find((candidate) => !done.has(candidate.join('\0')));
    if (!path) return;
    const smaller = structuredClone(whole);
    remove(smaller, path);
    // Other paths may mean something else now that items have moved up.
    if (await attempt({ ...current(), ...smaller })) done = withoutBelow(done, path);
    else done.add(path.join('\0'));
  }
}

function withoutBelow(done: ReadonlySet<string>, path: readonly string[]): Set<string> {
  const list = path.slice(0, -1).join('\0');
  return new Set([...done].filter((text) => !text.startsWith(`${list}\0`)));
}

/** Of what may go: below spec and labels, by increasing depth. */
function pathsIn(value: unknown, path: readonly string[] = [], isInside = false): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  const paths: string[][] = [];
  for (const key of Object.keys(value)) {
    const inner = [...path, key];
    const isPart = isInside && !(isNeeded(key) && !Array.isArray(value));
    if (isPart) paths.push(inner);
    paths.push(...pathsIn((value as Plain)[key], inner, isInside || key === 'spec' || key === 'labels'));
  }
  return paths.toSorted((a, b) => a.length - b.length);
}

const isNeeded = (key: string) => needed.has(key);

function remove(value: Plain, path: readonly string[]): void {
  const holder = path.slice(0, -1).reduce<Plain>((at, key) => at[key] as Plain, value);
  const last = path.at(-1) ?? '';
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
}
