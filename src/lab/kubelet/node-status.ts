// A node's own objects in the API: registers the Node, and calls it ready once its pod network is. What calico-node
// writes into the same object (annotations, the NetworkUnavailable condition) is left as it is.
import os from 'node:os';
import { ConflictError, type Datastore, type Follower } from '../../datastore/index.ts';
import { type Node, nodes } from '../../resources/index.ts';

type Condition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

/** Creates the Node as a kubelet does that has just come up: known, but without a pod network. */
export async function registerNode(datastore: Datastore, name: string, address: string): Promise<void> {
  await datastore.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: {},
  });
  await datastore.mergePatch(
    nodes,
    { name },
    {
      status: {
        addresses: [
          { type: 'InternalIP', address },
          { type: 'Hostname', address: name },
        ],
        conditions: [notReady()],
        nodeInfo: {
          kubeletVersion: 'calico-lab',
          kubeProxyVersion: '',
          osImage: 'network namespace',
          operatingSystem: 'linux',
          architecture: os.arch() === 'x64' ? 'amd64' : os.arch(),
          kernelVersion: os.release(),
          containerRuntimeVersion: 'calico-lab://probe',
          machineID: '',
          systemUUID: '',
          bootID: '',
        },
      },
    },
    { subresource: 'status' },
  );
}

/** Keeps each node's Ready condition in step with its pod network, and tells of every change. */
export function followReadiness(
  datastore: Datastore,
  changed: (node: string, ready: boolean) => void,
  report: (message: string) => void,
): Follower {
  return datastore.follow(nodes, {
    onUpsert(node) {
      const wanted = networkIsUp(node);
      if (isReady(node) === wanted) return changed(node.metadata.name, wanted);
      writeReadiness(datastore, node, wanted).catch((error: Error) => {
        // Somebody wrote in between, most likely the agent: that event is on its way and brings us here again.
        if (error instanceof ConflictError) return;
        report(`Cannot update the status of node ${node.metadata.name}: ${error.message}`);
      });
    },
    onDelete() {},
    onInSync() {},
  });
}

async function writeReadiness(datastore: Datastore, node: Node, ready: boolean): Promise<void> {
  const others = (node.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
  const conditions = [...others, ready ? readyNow() : notReady()];
  await datastore.updateStatus(nodes, { ...node, status: { ...node.status, conditions } });
}

function isReady(node: Node): boolean {
  return conditionOf(node, 'Ready')?.status === 'True';
}

function networkIsUp(node: Node): boolean {
  return conditionOf(node, 'NetworkUnavailable')?.status === 'False';
}

function conditionOf(node: Node, type: string): Condition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

function readyNow(): Condition {
  return condition('True', 'KubeletReady', 'The pod network is up');
}

function notReady(): Condition {
  return condition('False', 'KubeletNotReady', 'The pod network is not up');
}

function condition(status: 'True' | 'False', reason: string, message: string): Condition {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return { type: 'Ready', status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now };
}
