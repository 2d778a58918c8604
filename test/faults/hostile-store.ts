// An agent's calculation with its table and its tunnels in the kernel, fed by a store that holds whatever is put into it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type DesiredState, interpret, tunnelMac } from '../../src/calc/index.ts';
import {
  LinuxDataplane,
  NftablesDataplane,
  type OverlayFault,
  VxlanOverlay,
} from '../../src/dataplane/index.ts';
import { type FollowHandler, MemoryDatastore, SoundDatastore } from '../../src/datastore/index.ts';
import { Felix } from '../../src/felix/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
  Rtnetlink,
} from '../../src/kernel/index.ts';
import { cidrContains, parseAddress, parseCidr } from '../../src/net/index.ts';
import { createLogger } from '../../src/process/index.ts';
import {
  ipamBlocks,
  ipPools,
  keyOf,
  kubernetesNetworkPolicies,
  misfit,
  namespaces,
  nodeAnnotations,
  nodes,
  pods,
  type Resource,
  type ResourceKind,
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

const calicoVersion = 'projectcalico.org/v3';
const calicoRoutes = 80;
/** Where this node is, and what the sound other node says of itself. */
const own = { address: '172.30.0.11', address6: 'fd30::11', tunnel: '10.1.0.60', tunnel6: 'fd00:1::60' };
const other = { name: 'node-2', address: '172.30.0.12', tunnel: '10.1.0.64', mac: tunnelMac('node-2', 4) };
const otherBlock = '10.1.0.64/30';

export class HostileStore {
  readonly #handlers = new Map<string, FollowHandler<Resource>>();
  readonly #namespace: string;
  readonly #nftables: Nftables;
  readonly #rtnetlink: Rtnetlink;
  readonly #table: NftablesDataplane;
  readonly #dataplane: LinuxDataplane;
  readonly #felix: Felix;
  /** What the agent complained of. */
  readonly complaints: string[] = [];
  #state: DesiredState | undefined;
  #overlayFaults: readonly OverlayFault[] = [];

  constructor(label: string) {
    this.#namespace = `ct-${process.pid}-${label}`;
    createNamespace(this.#namespace);
    this.#wire();
    const namespace = openNamespace(namespacePath(this.#namespace));
    this.#nftables = Nftables.open({ namespace });
    this.#rtnetlink = Rtnetlink.open({ namespace });
    closeNamespace(namespace);
    this.#table = new NftablesDataplane(this.#nftables, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      forgetJudgements: async () => {},
      onTrouble: (error) => this.complaints.push(String(error)),
      onIsolated: (objects, why) => this.complaints.push(`${objects.join()}: ${why}`),
    });
    this.#dataplane = new LinuxDataplane({
      nftables: this.#table,
      overlays: this.#overlays(),
      onOverlayFaults: (faults) => {
        this.#overlayFaults = faults;
        this.complaints.push(...faults.map(({ sentence }) => sentence));
      },
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
    assert.equal(await this.#table.audit(), undefined, 'the kernel holds what it was told to');
    assert.equal(interpret(state, between('a', 'locked')), 'Deny', 'a locked pod stays locked');
    assert.equal(interpret(state, between('locked', 'b')), 'Deny', 'a locked pod stays locked in');
    this.#assertWays(isBare);
    if (!isBare) return;
    assert.equal(interpret(state, between('a', 'b')), 'Allow', 'what hostile objects closed is open again');
    assert.equal(interpret(state, between('a', 'victim')), 'Allow', 'nobody denies the victim any more');
  }

  /**
   * Of a policy against the victim that is broken: alone in the store it does not leave him open, and the agent has named it if it is
   * not even of the right shape. Nothing else may be in the store, nor is afterwards. @throws AssertionError
   */
  async assertClosed(broken: HostileObject): Promise<void> {
    const { kind, object } = broken;
    const words = `${kind.kind} ${JSON.stringify(object).slice(0, 600)}`;
    const told = this.complaints.length;
    this.put(broken);
    await this.settled();
    const verdictOn = (from: 'b' | 'victim', to: 'b' | 'victim') =>
      interpret(this.#state ?? assert.fail('nothing was applied'), between(from, to));
    const verdicts = [verdictOn('b', 'victim'), verdictOn('victim', 'b')];
    assert.ok(verdicts.includes('Deny'), `left open by ${words}`);
    const isNamed = this.complaints
      .slice(told)
      .some((complaint) =>
        complaint.startsWith(`${kind.kind} "${keyOf(object)}" is not what it should be: `),
      );
    assert.equal(
      isNamed,
      misfit(kind, object) !== undefined,
      `named if it is not what it should be: ${words}`,
    );
    this.remove(broken);
    await this.settled();
    assert.equal(verdictOn('b', 'victim'), 'Allow', `left closed by ${words}`);
  }

  close(): void {
    this.#felix.stop();
    this.#dataplane.stop();
    this.#rtnetlink.close();
    this.#nftables.close();
    deleteNamespace(this.#namespace);
  }

  /** The sound node is reached as ever, and nothing leads astray what this node sends on its own link. */
  #assertWays(isBare: boolean): void {
    const away = this.#overlayFaults.filter(({ extent }) => isBare || extent === 'all');
    assert.deepEqual(away, [], 'the tunnel is as it should be');
    const routes = this.#rtnetlink.routes();
    const device = this.#rtnetlink.link('vxlan.calico')?.index;
    const ours = routes.filter(({ protocol }) => protocol === calicoRoutes);
    const isSound = ours.some(
      ({ destination, via, link }) => destination === otherBlock && via === other.tunnel && link === device,
    );
    assert.ok(isSound, 'the sound node has its route');
    const isKnown = this.#rtnetlink
      .neighbours()
      .some(({ address, mac, link }) => address === other.tunnel && mac === other.mac && link === device);
    assert.ok(isKnown, 'the sound node has its neighbour');
    const entries = this.#rtnetlink
      .forwardingEntries()
      .filter(({ mac, link }) => mac === other.mac && link === device);
    assert.deepEqual(
      entries.map(({ destination }) => destination),
      [other.address],
      'what is for the sound node goes to it alone',
    );
    const onLink = ours.filter(({ destination }) =>
      [own.address, own.address6].some((text) => cidrContains(parseCidr(destination), parseAddress(text))),
    );
    assert.deepEqual(onLink, [], "the node's own network is left alone");
    if (!isBare) return;
    assert.deepEqual(
      ours.map(({ destination }) => destination),
      [otherBlock],
      'no route is left of nodes and blocks that are gone',
    );
  }

  #wire(): void {
    const lines = [
      'link set lo up',
      'link add eth0 type veth peer name underlay',
      'link set eth0 up',
      'link set underlay up',
      `addr add ${own.address}/24 dev eth0`,
      `addr add ${own.address6}/64 dev eth0 nodad`,
    ];
    execFileSync('ip', ['-n', this.#namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  #overlays(): VxlanOverlay[] {
    const parent = this.#rtnetlink.link('eth0')?.index ?? assert.fail('the node has no underlay');
    const common = { parent, mtu: 1400, vni: 4096, port: 4789 };
    return [
      new VxlanOverlay(this.#rtnetlink, {
        ...common,
        family: 4,
        nodeAddress: own.address,
        tunnelAddress: own.tunnel,
        mac: '66:00:00:00:00:01',
      }),
      new VxlanOverlay(this.#rtnetlink, {
        ...common,
        family: 6,
        nodeAddress: own.address6,
        tunnelAddress: own.tunnel6,
        mac: '66:00:00:00:00:61',
      }),
    ];
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
    this.#populateNetwork();
  }

  #populateNetwork(): void {
    const put = (kind: ResourceKind, object: Omit<Resource, 'apiVersion' | 'kind'> & { spec: object }) => {
      const apiVersion = kind === (nodes as unknown as ResourceKind) ? 'v1' : calicoVersion;
      this.put({ kind, object: { apiVersion, kind: kind.kind, ...object } as Resource });
    };
    const spec = { cidr: '10.1.0.0/16', vxlanMode: 'Always' };
    put(ipPools as unknown as ResourceKind, { metadata: { name: 'sound' }, spec });
    const annotations = {
      [nodeAnnotations.ipv4Address]: `${other.address}/24`,
      [nodeAnnotations.ipv4VxlanTunnelAddress]: other.tunnel,
      [nodeAnnotations.vxlanTunnelMac]: other.mac,
    };
    put(nodes as unknown as ResourceKind, { metadata: { name: other.name, annotations }, spec: {} });
    const block = {
      cidr: otherBlock,
      affinity: `host:${other.name}`,
      allocations: [0, null, null, null],
      attributes: [{ handle_id: 'x', secondary: { node: other.name, type: 'vxlanTunnelAddress' } }],
      unallocated: [1, 2, 3],
      strictAffinity: false,
    };
    put(ipamBlocks as unknown as ResourceKind, { metadata: { name: '10-1-0-64-30' }, spec: block });
  }
}

function pathOf({ group, plural }: ResourceKind): string {
  return `${group}/${plural}`;
}
