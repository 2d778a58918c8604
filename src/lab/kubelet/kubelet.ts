// The kubelet's stand-in: follows the pods of one node, gives each a sandbox through the CNI plugin, and writes its status.
// It runs no containers: what answers inside a pod is the lab's prober.
import { type Datastore, type Follower, NotFoundError } from '../../datastore/index.ts';
import { keyOf, type Pod, pods } from '../../resources/index.ts';
import { runningStatus } from './pod-status.ts';
import { Sandbox, type SandboxHost } from './sandbox.ts';

export interface KubeletOptions {
  readonly node: string;
  readonly hostIP: string;
  readonly datastore: Datastore;
  readonly host: SandboxHost;
  /** Called when a pod has its interface, before its status says so; what it starts is part of the pod. */
  readonly started: (pod: Pod, podIPs: readonly string[], namespacePath: string) => Promise<void>;
  /** Called when a pod is about to lose its interface. */
  readonly stopping: (pod: Pod) => Promise<void>;
  /** Removes a pod that has been torn down from the API, at once. */
  readonly forget: (pod: Pod) => Promise<void>;
}

/** Runs until its follower is stopped; sandboxes stay as they are then. */
export function startKubelet(options: KubeletOptions): Follower {
  const { node, datastore, host } = options;
  /** By uid: a pod that was made anew under its old name is another pod. */
  const sandboxes = new Map<string, Sandbox>();
  const ending = new Set<string>();

  const setUp = async (pod: Pod, sandbox: Sandbox): Promise<void> => {
    const { name, namespace = 'default', uid } = pod.metadata;
    const addresses = await sandbox.setUp();
    if (addresses.length === 0) throw new Error('the plugin gave it no address');
    await options.started(pod, addresses, sandbox.namespacePath);
    const status = runningStatus(pod, addresses, options.hostIP);
    // The uid makes the patch fail rather than mark a successor of the same name as running.
    await datastore.mergePatch(
      pods,
      { name, namespace },
      { metadata: { uid }, status },
      { subresource: 'status' },
    );
  };

  const begin = (pod: Pod): void => {
    const uid = uidOf(pod);
    if (sandboxes.has(uid)) return;
    const sandbox = new Sandbox(pod, host);
    sandboxes.set(uid, sandbox);
    setUp(pod, sandbox).catch((error: Error) => {
      // A node that stops, and a pod that was deleted meanwhile, are no failures.
      if (host.signal.aborted || ending.has(uid) || error instanceof NotFoundError) return;
      host.report(`Cannot start pod ${keyOf(pod)} on ${node}: ${error.message}`);
    });
  };

  const tearDown = async (pod: Pod, sandbox: Sandbox | undefined): Promise<void> => {
    if (sandbox) {
      await options.stopping(pod);
      await sandbox.tearDown();
    }
    await options.forget(pod);
  };

  const end = (pod: Pod): void => {
    const uid = uidOf(pod);
    if (ending.has(uid)) return;
    ending.add(uid);
    tearDown(pod, sandboxes.get(uid))
      .catch((error: Error) => {
        if (!host.signal.aborted) host.report(`Cannot stop pod ${keyOf(pod)} on ${node}: ${error.message}`);
      })
      .finally(() => {
        sandboxes.delete(uid);
        ending.delete(uid);
      });
  };

  return datastore.follow(
    pods,
    {
      onUpsert(pod) {
        if (pod.spec?.hostNetwork) return;
        if (pod.metadata.deletionTimestamp) end(pod);
        else begin(pod);
      },
      onDelete(_key, pod) {
        if (sandboxes.has(uidOf(pod))) end(pod);
      },
      onInSync() {},
    },
    { fieldSelector: `spec.nodeName=${node}` },
  );
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? keyOf(pod);
}
