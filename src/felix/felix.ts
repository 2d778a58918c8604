// Felix, the policy agent: follows the cluster's objects, feeds them to the calculation and brings what comes out into the
// kernel. Every turn of the event loop that changed something ends in one application of all that changed; when the one before has
// only just been made, in one that comes as soon as no packet can meet both.
import {
  Calculator,
  type CalculatorOptions,
  type Changes,
  type DesiredState,
  workloadKey,
} from '../calc/index.ts';
import type { Datastore, Follower } from '../datastore/index.ts';
import type { WorkloadEndpoint } from '../policy/index.ts';
import type { Logger } from '../process/index.ts';
import {
  keyOf,
  type Namespace,
  namespaces,
  type ObjectKey,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import { eachFollowedKind, type FollowedKind } from './followed-kinds.ts';
import { Outage } from './outage.ts';

/** Where the desired state goes. */
export interface Dataplane {
  /** Makes the kernel hold the state. @throws when it cannot; what is enforced then is what was before */
  apply(state: DesiredState, changes: Changes): void;
  /** Resolves when no packet is under way any more that the last `apply` has overtaken; undefined when that is so. */
  readonly overtaking?: Promise<void> | undefined;
  /** What the kernel holds is in doubt: the next `apply` brings all of the state. */
  distrust(): void;
}

export interface FelixOptions {
  /** Name of the node. */
  readonly node: string;
  readonly datastore: Datastore;
  readonly dataplane: Dataplane;
  readonly log: Logger;
  /** What Felix' settings say of the calculation. */
  readonly calculation?: Pick<CalculatorOptions, 'overlay' | 'excludedInterfaces' | 'foreignWorkloads'>;
}

const firstRetryMs = 100;
const longestRetryMs = 10_000;

export class Felix {
  readonly #node: string;
  readonly #datastore: Datastore;
  readonly #dataplane: Dataplane;
  readonly #log: Logger;
  readonly #calculator: Calculator;
  readonly #followers: Follower[] = [];
  /** Pods of this node as the watch last showed them. */
  readonly #localPods = new Map<string, Pod>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #inSync = Promise.withResolvers<void>();
  #isInSync = false;
  /** Until then nothing has been asked for, which is not to be taken for nothing being there. */
  #isStarted = false;
  #kindsToSync = 0;
  readonly #outage = new Outage(() => this.#schedule());
  #isScheduled = false;
  /** Since when, by the monotonic clock, the kernel may hold something else: the next application is due even without a change. */
  #doubtedSince: number | undefined;
  #isStopped = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #waiting: PromiseWithResolvers<void>[] = [];

  constructor({ node, datastore, dataplane, log, calculation }: FelixOptions) {
    this.#node = node;
    this.#datastore = datastore;
    this.#dataplane = dataplane;
    this.#log = log;
    this.#calculator = new Calculator({ node, onFault: (sentence) => log.warn(sentence), ...calculation });
  }

  /** Resolves when everything that existed at the start is enforced in the kernel. */
  get inSync(): Promise<void> {
    return this.#inSync.promise;
  }

  get isInSync(): boolean {
    return this.#isInSync;
  }

  /** Whether the last attempt to bring the desired state into the kernel failed. */
  get isInDoubt(): boolean {
    return this.#doubtedSince !== undefined;
  }

  /** For how many milliseconds now the desired state could not be brought into the kernel; 0 when it is there. */
  get inDoubtMs(): number {
    return this.#doubtedSince === undefined ? 0 : performance.now() - this.#doubtedSince;
  }

  start(): void {
    eachFollowedKind((followed) => this.#follow(followed));
    this.#isStarted = true;
    this.#schedule();
  }

  /** Nothing is brought into the kernel afterwards. */
  stop(): void {
    this.#isStopped = true;
    for (const follower of this.#followers) follower.stop();
    clearTimeout(this.#retryTimer);
    this.#outage.stop();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error('calico-node is shutting down'));
  }

  /** The pod as the watch shows it, if it is that very one; undefined when the watch does not know it yet. */
  localPod(key: ObjectKey, uid: string | undefined): Pod | undefined {
    const pod = this.#localPods.get(keyOf({ metadata: key }));
    return uid === undefined || pod?.metadata.uid === uid ? pod : undefined;
  }

  /** Undefined when the watch has not shown it, or has shown it deleted. */
  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name);
  }

  /** Resolves when the workload's policy is in the kernel, as far as the agent has been told of policies. */
  attach(workload: WorkloadEndpoint): Promise<void> {
    this.#calculator.attachWorkload(workload);
    return this.#applied();
  }

  /** Resolves when nothing in the kernel speaks of that container of the workload any more. */
  detach(workload: { namespace: string; pod: string }, containerId: string): Promise<void> {
    this.#calculator.detachWorkload(workloadKey(workload), containerId);
    return this.#applied();
  }

  /** The addresses of an interface of this node that is no pod's; undefined when it is gone. */
  setInterface(name: string, addresses: readonly string[] | undefined): void {
    this.#calculator.setInterface(name, addresses);
    this.#schedule();
  }

  /** Brings all of the desired state into the kernel anew: something there is not as it was left. */
  reapply(): void {
    this.#doubtedSince ??= performance.now();
    this.#dataplane.distrust();
    this.#schedule();
  }

  #follow<T extends Resource>(followed: FollowedKind<T>): void {
    const { kind, delete: remove } = followed;
    this.#kindsToSync++;
    const follower = this.#datastore.follow(kind, {
      onUpsert: (object) => {
        this.#takeIn(followed, object);
        this.#schedule();
      },
      onMisfit: (object) => {
        this.#close(followed, object);
        this.#schedule();
      },
      onDelete: (key) => {
        this.#forget(kind, keyOf({ metadata: key }));
        this.#guard(kind, key, () => remove(this.#calculator, keyOf({ metadata: key })));
        this.#schedule();
      },
      onInSync: () => {
        this.#kindsToSync--;
        this.#schedule();
      },
      onProgress: (progress) => this.#outage.note(`${kind.group}/${kind.plural}`, progress),
    });
    this.#followers.push(follower);
  }

  /** Keeps what the CNI server asks for: this node's pods, and namespaces. */
  #remember(object: Resource): void {
    if (object.kind === namespaces.kind) this.#namespaces.set(object.metadata.name, object);
    const pod: Pod = object;
    if (object.kind === pods.kind && pod.spec?.nodeName === this.#node) this.#localPods.set(keyOf(pod), pod);
  }

  #forget(kind: ResourceKind, key: string): void {
    if (kind.kind === namespaces.kind) this.#namespaces.delete(key);
    if (kind.kind === pods.kind) this.#localPods.delete(key);
  }

  #takeIn<T extends Resource>(followed: FollowedKind<T>, object: T): void {
    this.#remember(object);
    const { kind, set } = followed;
    if (!this.#guard(kind, object.metadata, () => set(this.#calculator, object)))
      this.#close(followed, object);
  }

  /** An object that is not what its kind is, as it may be where nobody judges what is stored, is closed. */
  #close<T extends Resource>({ kind, close, delete: remove }: FollowedKind<T>, object: T): void {
    const key = keyOf(object);
    this.#forget(kind, key);
    this.#guard(kind, object.metadata, () =>
      close ? close(this.#calculator, object) : remove(this.#calculator, key),
    );
  }

  /** One object that breaks the calculation must not stop the others. Returns whether it did not. */
  #guard(kind: ResourceKind, key: ObjectKey, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#log.error(
        { error, kind: kind.kind, key },
        `Cannot take in ${kind.kind} "${keyOf({ metadata: key })}"`,
      );
      return false;
    }
  }

  #applied(): Promise<void> {
    if (this.#isStopped) return Promise.reject(new Error('calico-node is shutting down'));
    const waiter = Promise.withResolvers<void>();
    this.#waiting.push(waiter);
    this.#schedule();
    return waiter.promise;
  }

  #schedule(): void {
    if (this.#isHalfKnown || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(async () => {
      await this.#dataplane.overtaking;
      this.#isScheduled = false;
      this.#apply();
    });
  }

  /** Until everything has been listed once the kernel keeps what it has: half a picture would forbid or allow too much. */
  get #isHalfKnown(): boolean {
    return !this.#isStarted || this.#kindsToSync > 0 || this.#outage.isHalfOver;
  }

  #apply(): void {
    // An outage may have begun to end since it was scheduled; its end schedules anew.
    if (this.#isStopped || this.#isHalfKnown) return;
    const waiting = this.#waiting.splice(0);
    try {
      if (this.#calculator.hasChanges || this.isInDoubt || !this.#isInSync) {
        const changes = this.#calculator.takeChanges();
        this.#dataplane.apply(this.#calculator.state, changes);
      }
      this.#doubtedSince = undefined;
      this.#retryMs = firstRetryMs;
      for (const waiter of waiting) waiter.resolve();
      if (!this.#isInSync) {
        this.#isInSync = true;
        this.#inSync.resolve();
      }
    } catch (error) {
      this.#log.error(
        { error },
        'Cannot bring the desired state into the kernel; trying again with all of it',
      );
      this.#doubtedSince ??= performance.now();
      this.#dataplane.distrust();
      for (const waiter of waiting) waiter.reject(error);
      clearTimeout(this.#retryTimer);
      this.#retryTimer = setTimeout(() => this.#schedule(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
    }
  }
}
