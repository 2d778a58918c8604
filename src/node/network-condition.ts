// Whether the node has a network, as its object says: where it says that there is none, no pod is scheduled to it.
import { ConflictError, type Datastore, ifThere } from '../datastore/index.ts';
import { type Node, nodeAnnotations, nodes } from '../resources/index.ts';

type Condition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

const type = 'NetworkUnavailable';
const up = { status: 'False', reason: 'CalicoIsUp', message: 'Calico is running on this node' } as const;
const down = {
  status: 'True',
  reason: 'CalicoIsDown',
  message: 'Calico is not running on this node',
} as const;

export async function reportNetwork(datastore: Datastore, node: string): Promise<void> {
  await changeConditions(datastore, node, (held) => [...held.filter(isOther), condition(up)]);
}

/** Where nobody has said that there is a network, nobody counts on it either: then nothing is written. */
export async function reportNoNetwork(datastore: Datastore, node: string): Promise<void> {
  await changeConditions(datastore, node, (held) =>
    held.some((one) => one.type === type && one.status === up.status)
      ? [...held.filter(isOther), condition(down)]
      : held,
  );
}

/** Takes back what calico-node has told of the node, for good. Returns in words what that was; nothing of a node that is gone. */
export async function forgetNode(datastore: Datastore, node: string): Promise<string[]> {
  const found = await ifThere(datastore.get(nodes, { name: node }));
  if (!found) return [];
  const told = Object.values(nodeAnnotations).filter(
    (name) => found.metadata.annotations?.[name] !== undefined,
  );
  if (told.length > 0) {
    const annotations = Object.fromEntries(told.map((name) => [name, null]));
    await datastore.mergePatch(
      nodes,
      { name: node },
      { metadata: { annotations } },
      { subresource: 'status' },
    );
  }
  const hadCondition = await changeConditions(datastore, node, (held) => held.filter(isOther));
  return [
    ...told.map((name) => `annotation "${name}" of the node`),
    ...(hadCondition ? [`condition "${type}" of the node`] : []),
  ];
}

function isOther(condition: Condition): boolean {
  return condition.type !== type;
}

function condition(saying: Pick<Condition, 'status' | 'reason' | 'message'>): Condition {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return { type, ...saying, lastHeartbeatTime: now, lastTransitionTime: now };
}

/**
 * Others write conditions of the same node all the time, so this changes the very state that it has read, or reads again. Returns whether
 * `change` gave others than it was given.
 */
async function changeConditions(
  datastore: Datastore,
  node: string,
  change: (held: readonly Condition[]) => readonly Condition[],
): Promise<boolean> {
  for (;;) {
    const { status, metadata } = await datastore.get(nodes, { name: node });
    const held = status?.conditions ?? [];
    const conditions = change(held);
    if (
      conditions === held ||
      (conditions.length === held.length && conditions.every((one) => held.includes(one)))
    )
      return false;
    const { resourceVersion } = metadata;
    try {
      await datastore.mergePatch(
        nodes,
        { name: node },
        { metadata: { ...(resourceVersion && { resourceVersion }) }, status: { conditions } },
        { subresource: 'status' },
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
