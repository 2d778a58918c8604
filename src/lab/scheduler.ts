// A scheduler for the lab: gives every pod without a node the node with the fewest pods. Knows nothing of resources or taints.
import type { Datastore, Follower } from '../datastore/index.ts';
import { keyOf, type Pod, pods } from '../resources/index.ts';

export interface SchedulerOptions {
  readonly datastore: Datastore;
  readonly nodes: readonly string[];
  /** Has a pod run on a node; resolves with false when it is gone, or somebody else decided. */
  readonly bind: (pod: Pod, node: string) => Promise<boolean>;
  /** Told of a pod that could not be bound, and why. */
  readonly report: (message: string) => void;
}

/** Runs until its follower is stopped. */
export function startScheduler({ datastore, nodes, bind, report }: SchedulerOptions): Follower {
  const nodeOf = new Map<string, string>();

  const leastLoaded = (): string | undefined => {
    const load = new Map(nodes.map((node) => [node, 0]));
    for (const node of nodeOf.values()) load.set(node, (load.get(node) ?? 0) + 1);
    return nodes.toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))[0];
  };

  const schedule = async (pod: Pod, node: string): Promise<void> => {
    try {
      // Otherwise the event that says so is on its way, and decides anew.
      if (await bind(pod, node)) return;
    } catch (error) {
      report(`Cannot schedule pod ${keyOf(pod)} on ${node}: ${(error as Error).message}`);
    }
    nodeOf.delete(keyOf(pod));
  };

  return datastore.follow(pods, {
    onUpsert(pod) {
      const key = keyOf(pod);
      if (pod.spec?.nodeName) nodeOf.set(key, pod.spec.nodeName);
      else if (!nodeOf.has(key) && !pod.metadata.deletionTimestamp) {
        const node = leastLoaded();
        if (node === undefined) return;
        nodeOf.set(key, node);
        void schedule(pod, node);
      }
    },
    onDelete(_key, pod) {
      nodeOf.delete(keyOf(pod));
    },
    onInSync() {},
  });
}
