// An agent's calculation, table and all, fed by a store that holds whatever is put into it.
import assert from 'node:assert/strict';
import { type DesiredState, interpret } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import { type FollowHandler, MemoryDatastore, SoundDatastore } from '../../src/datastore/index.ts';
import { Felix } from '../../src/felix/index.ts';
import {
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';
import { createLogger } from '../../src/process/index.ts';
import {
  kubernetesNetworkPolicies,
  namespaces,
  pods,
  type Resource,
  type ResourceKind,
  validate,
} from '../../src/resources/index.ts';
import type { HostileObject } from './hostile-objects.ts';

/** By address, the connections that must stay as they are whatever else the store holds. */
const addresses = { a: '10.0.0.1', b: '10.0.0.2', locked: '10.0.0.3', victim: '10.0.0.4' };
const between = (from: keyof typeof addresses, to: keyof typeof addresses) => ({
  source: addresses[from],
  destination: addresses[to],
  protocol: 6,
  sourcePort: 40_000,
  destinationPort: 80,
});

export class HostileStore {
  readonly #handlers = new Map<string, FollowHandler<Resource>>();
  readonly #namespace: string;
  readonly #nftables: Nftables;
  readonly #dataplane: NftablesDataplane;
  readonly #felix: Felix;
  /** What the agent complained of. */
  readonly complaints: string[] = [];
  #state: DesiredState | undefined;
  #applied = Promise.withResolvers<void>();

  constructor(label: string) {
    this.#namespace = `ct-${process.pid}-${label}`;
    createNamespace(this.#namespace);
    this.#nftables = Nftables.open({ namespace: openNamespace(namespacePath(this.#namespace)) });
    this.#dataplane = new NftablesDataplane(this.#nftables, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      forgetJudgements: async () => {},
      onTrouble: (error) => this.complaints.push(String(error)),
      onIsolated: (objects, why) => this.complaints.push(`${objects.join()}: ${why}`),
    });
    const log = createLogger('test', 'silent');
    const complain = (...args: unknown[]) => {
      this.complaints.push(
        args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))).join(' '),
      );
    };
    this.#felix = new Felix({
      node: 'node-1',
      datastore: this.#store(complain),
      dataplane: {
        apply: (state, changes) => {
          this.#state = state;
          this.#dataplane.apply(state, changes);
          this.#applied.resolve();
        },
        distrust: () => this.#dataplane.distrust(),
      },
      log: Object.assign(log, { warn: complain, error: complain }),
    });
    this.#felix.start();
    this.#populate();
    for (const handler of this.#handlers.values()) handler.onInSync();
  }

  get inSync(): Promise<void> {
    return this.#felix.inSync;
  }

  put({ kind, object }: HostileObject): void {
    this.#handlers.get(pathOf(kind))?.onUpsert(object);
  }

  remove({ kind, object }: HostileObject): void {
    const { namespace, name } = object.metadata;
    const key = namespace === undefined ? { name } : { namespace, name };
    this.#handlers.get(pathOf(kind))?.onDelete(key, object);
  }

  /** Resolves when everything that was put or removed is in the kernel. @throws what the agent says when it cannot be */
  settled(): Promise<void> {
    return this.#felix.detach({ namespace: 'none', pod: 'none' }, 'none');
  }

  /** What must hold whatever is in the store; `isBare` when nothing hostile is. @throws AssertionError */
  async assertSound(isBare: boolean): Promise<void> {
    const state = this.#state ?? assert.fail('nothing was applied');
    assert.equal(await this.#dataplane.audit(), undefined, 'the kernel holds what it was told to');
    assert.equal(interpret(state, between('a', 'locked')), 'Deny', 'a locked pod stays locked');
    assert.equal(interpret(state, between('locked', 'b')), 'Deny', 'a locked pod stays locked in');
    if (!isBare) return;
    assert.equal(interpret(state, between('a', 'b')), 'Allow', 'what hostile objects closed is open again');
    assert.equal(interpret(state, between('a', 'victim')), 'Allow', 'nobody denies the victim any more');
  }

  /** A policy against the victim alone that is not valid: it must not leave him open. @throws AssertionError */
  assertClosed({ kind, object }: HostileObject): void {
    const isAgainstVictim = kind.kind === 'NetworkPolicy' || kind.kind === 'GlobalNetworkPolicy';
    if (!isAgainstVictim || kind.schema === undefined || validate(kind, object).length === 0) return;
    const state = this.#state ?? assert.fail('nothing was applied');
    const { spec } = object as { spec?: { types?: unknown; ingress?: unknown; egress?: unknown } };
    const words = JSON.stringify(spec)?.slice(0, 300);
    const verdicts = [interpret(state, between('b', 'victim')), interpret(state, between('victim', 'b'))];
    assert.ok(verdicts.includes('Deny'), `left open by ${kind.kind} with ${words}`);
  }

  close(): void {
    this.#felix.stop();
    this.#nftables.close();
    deleteNamespace(this.#namespace);
  }

  #store(complain: (sentence: string) => void): SoundDatastore {
    const store = Object.assign(new MemoryDatastore(), {
      follow: <T extends Resource>(kind: ResourceKind<T>, handler: FollowHandler<T>) => {
        this.#handlers.set(pathOf(kind), handler as unknown as FollowHandler<Resource>);
        return { stop() {} };
      },
    });
    return new SoundDatastore(store, complain);
  }

  #populate(): void {
    for (const name of ['good', 'victims', 'other']) {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: name } } };
      this.put({ kind: namespaces, object });
    }
    for (const [name, ip] of Object.entries(addresses)) {
      const namespace = name === 'victim' ? 'victims' : 'good';
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, name, uid: name, labels: { app: name } },
        spec: { nodeName: 'node-1', containers: [] },
        status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
      };
      this.put({ kind: pods, object });
    }
    const lock = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'good', name: 'lock' },
      spec: { podSelector: { matchLabels: { app: 'locked' } }, policyTypes: ['Ingress', 'Egress'] },
    };
    this.put({ kind: kubernetesNetworkPolicies, object: lock });
  }
}

function pathOf({ group, plural }: ResourceKind): string {
  return `${group}/${plural}`;
}
