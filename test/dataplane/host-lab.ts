// Two nodes with a pod each, and two hosts that are no nodes: "outside" on the nodes' own network, and "behind", which is
// reached through node-1 alone, by its second interface. Both families.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createNamespace, deleteNamespace, namespacePath } from '../../src/kernel/index.ts';
import { Prober } from '../../src/lab/prober/client.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import { type Cluster, podAnnotations } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy, HostEndpoint, Pod, PolicyRule } from '../../src/resources/index.ts';
import { type End, type Flow, type FlowTransport, passingFlows } from './flows.ts';
import { KernelCluster, type KernelClusterOptions, type KernelNode } from './kernel-cluster.ts';

export type Place = 'node-1' | 'node-2' | 'outside' | 'behind' | 'pod-1' | 'pod-2';
export type Family = 4 | 6;

export const families: readonly Family[] = [4, 6];
export const addressOf: Readonly<Record<Place, Readonly<Record<Family, string>>>> = {
  'node-1': { 4: '172.30.0.11', 6: 'fd30::11' },
  'node-2': { 4: '172.30.0.12', 6: 'fd30::12' },
  outside: { 4: '172.30.0.99', 6: 'fd30::99' },
  behind: { 4: '10.9.0.2', 6: 'fd09::2' },
  // Pod number i of the kernel's cluster has the address i+1; odd ones live on node-1 here.
  'pod-1': { 4: '10.1.0.2', 6: 'fd00:1::2' },
  'pod-2': { 4: '10.1.0.3', 6: 'fd00:1::3' },
};

/** A flow of UDP. */
export interface FlowEnds {
  readonly from: Place;
  readonly to: Place;
  readonly port: number;
}

const transports: readonly FlowTransport[] = ['tcp', 'udp', 'icmp', 'sctp'];

export class HostLab {
  readonly #kernel: KernelCluster;
  readonly #prefix: string;
  readonly #probers: Prober[] = [];
  #cluster: Cluster = { namespaces: [], pods: [], networkPolicies: [] };

  static async make(name: string, options: KernelClusterOptions = {}): Promise<HostLab> {
    const lab = new HostLab(await KernelCluster.make(name, options), `ct-${process.pid}-${name}`);
    try {
      lab.#wire();
      await lab.node(1).hears((interfaces) => (interfaces.get('eth1') ?? []).includes('fd09::1'));
      await lab.become({});
      // Neighbours are found before anybody measures by what does not arrive.
      for (const family of families) lab.passing(lab.flows(family, ['udp'], 7000));
      return lab;
    } catch (error) {
      await lab.remove();
      throw error;
    }
  }

  private constructor(kernel: KernelCluster, prefix: string) {
    this.#kernel = kernel;
    this.#prefix = prefix;
  }

  async remove(): Promise<void> {
    for (const prober of this.#probers) await prober.close();
    for (const place of ['outside', 'behind']) {
      try {
        deleteNamespace(this.#nameOf(place as Place));
      } catch (error) {
        // It was not made yet when making the lab failed.
        if ((error as { code?: string }).code !== 'ENOENT') throw error;
      }
    }
    await this.#kernel.remove();
  }

  node(number: 1 | 2): KernelNode {
    return this.#kernel.nodes[number - 1] ?? assert.fail('there is no such node');
  }

  /** The same pods and namespaces, with these objects besides and no others. */
  async become(objects: Partial<Cluster>): Promise<void> {
    this.#cluster = {
      namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red' } }],
      pods: [pod(1), pod(2)],
      networkPolicies: [],
      ...objects,
    };
    await this.#kernel.become(this.#cluster);
  }

  /** Begins to probe flows of both families by UDP without pause, in processes of their own; `place/family` are the ends' names. */
  async startFlood(flows: readonly FlowEnds[]): Promise<void> {
    const places = new Set(flows.flatMap(({ from, to }) => [from, to]));
    for (const family of families) {
      const prober = new Prober(this.#prefix);
      this.#probers.push(prober);
      const at = (place: Place) => ({
        namespacePath: namespacePath(this.#nameOf(place)),
        ip: addressOf[place][family],
      });
      // From there everybody is reached at the end, by whatever policy of a flood: what has not come by then was dropped.
      const { ip: address, ...outside } = at('outside');
      await prober.ask('addNode', { name: 'outside', address, ...outside });
      for (const place of places)
        await prober.ask('addPod', { key: `${place}/${family}`, node: 'outside', ...at(place), listen: [] });
      const named = flows.map(({ from, to, port }) => ({
        from: `${from}/${family}`,
        to: `${to}/${family}`,
        port,
      }));
      await prober.ask('startStream', { protocol: 'udp', flows: named });
    }
  }

  /** Ends them and tells how each lane fared. */
  async stopFlood(): Promise<readonly LaneReport[]> {
    const lanes: LaneReport[] = [];
    for (const prober of this.#probers.splice(0)) {
      lanes.push(...(await prober.ask('stopStream', {})).lanes);
      await prober.close();
    }
    return lanes;
  }

  end(place: Place, family: Family): End {
    return { namespacePath: namespacePath(this.#nameOf(place)), address: addressOf[place][family] };
  }

  flow(from: Place, to: Place, family: Family, transport: FlowTransport, port: number): Flow {
    const name = `${from} > ${to} ${transport}${transport === 'icmp' ? '' : `/${port}`} IPv${family}`;
    return { name, from: this.end(from, family), to: this.end(to, family), transport, port };
  }

  /** Between all places that have a way to each other. */
  flows(family: Family, protocols = transports, port = 80): Flow[] {
    const places = Object.keys(addressOf) as Place[];
    // Nobody has told node-2 where "behind" is.
    const isFar = (place: Place) => place === 'node-2' || place === 'pod-2';
    return places.flatMap((from) =>
      places
        .filter((to) => to !== from && !(isFar(from) && to === 'behind') && !(isFar(to) && from === 'behind'))
        .flatMap((to) => protocols.map((transport) => this.flow(from, to, family, transport, port))),
    );
  }

  /** Names of those that get through, which are to be all that there are. */
  passing(flows: readonly Flow[]): string[] {
    return passingFlows(flows, new Set(flows.map(({ name }) => name)));
  }

  /** Demands that of these flows exactly those get through of which `may` says so. */
  expect(flows: readonly Flow[], may: (flow: Flow) => boolean, what: string): void {
    const wanted = flows.filter(may).map(({ name }) => name);
    assert.deepEqual(passingFlows(flows, new Set(wanted)), wanted, what);
  }

  run(place: Place, program: string, ...args: string[]): string {
    return execFileSync('nsenter', [`--net=${namespacePath(this.#nameOf(place))}`, program, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  nft(place: Place, script: string): void {
    const command = [`--net=${namespacePath(this.#nameOf(place))}`, 'nft', '-f', '-'];
    execFileSync('nsenter', command, { input: script, stdio: ['pipe', 'ignore', 'inherit'] });
  }

  #nameOf(place: Place): string {
    const node = /^node-(\d)$/.exec(place)?.[1];
    const podNumber = /^pod-(\d)$/.exec(place)?.[1];
    return `${this.#prefix}-${node ? `n${node}` : podNumber ? `p${podNumber}` : place}`;
  }

  #wire(): void {
    for (const place of ['outside', 'behind'] as const) createNamespace(this.#nameOf(place));
    const name = (place: Place | 'u') => (place === 'u' ? `${this.#prefix}-u` : this.#nameOf(place));
    const ip = (place: Place | 'u', ...lines: string[]) =>
      execFileSync('ip', ['-n', name(place), '-batch', '-'], { input: `${lines.join('\n')}\n` });
    ip('u', `link add y type veth peer name eth0 netns ${name('outside')}`, 'link set y master br0 up');
    ip('node-1', `link add eth1 type veth peer name eth0 netns ${name('behind')}`);
    ip('node-1', 'link set eth1 up', 'addr add 10.9.0.1/24 dev eth1', 'addr add fd09::1/64 dev eth1 nodad');
    for (const [place, v4, v6, via4, via6] of [
      ['outside', '172.30.0.99/24', 'fd30::99/64', '172.30.0.11', 'fd30::11'],
      ['behind', '10.9.0.2/24', 'fd09::2/64', '10.9.0.1', 'fd09::1'],
    ] as const) {
      ip(
        place,
        'link set lo up',
        'link set eth0 up',
        `addr add ${v4} dev eth0`,
        `addr add ${v6} dev eth0 nodad`,
        `route add default via ${via4}`,
      );
      ip(place, `route add default via ${via6}`);
    }
    // The pod on node-2 is answered by way of node-2 itself, as it comes from there.
    ip('outside', 'route add 10.1.0.3/32 via 172.30.0.12', 'route add fd00:1::3/128 via fd30::12');
  }
}

const webPorts = (['TCP', 'SCTP'] as const).map((protocol) => ({ name: 'web', containerPort: 80, protocol }));

function pod(index: 1 | 2): Pod {
  const name = `pod-${index}` as const;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'red',
      name,
      uid: `uid-${index}`,
      labels: { pod: name },
      annotations: {
        [podAnnotations.containerId]: `container-${index}`,
      },
    },
    spec: { nodeName: `node-${index}`, containers: [{ name: 'main', ports: webPorts }] },
    status: { phase: 'Running', podIPs: [{ ip: addressOf[name][4] }, { ip: addressOf[name][6] }] },
  };
}

const apiVersion = 'projectcalico.org/v3';

/** Of node-1 unless said otherwise; labelled `host`. */
export function hostEndpoint(
  name: string,
  spec: Partial<HostEndpoint['spec']>,
  labels: Record<string, string> = { host: name },
): HostEndpoint {
  return { apiVersion, kind: 'HostEndpoint', metadata: { name, labels }, spec: { node: 'node-1', ...spec } };
}

/** Selects host endpoints, and no pods, unless said otherwise. */
export function globalPolicy(name: string, spec: Partial<GlobalNetworkPolicy['spec']>): GlobalNetworkPolicy {
  return {
    apiVersion,
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec: { selector: 'has(host)', ...spec },
  };
}

export const allow = (rule: Omit<PolicyRule, 'action'> = {}): PolicyRule => ({ action: 'Allow', ...rule });
export const deny = (rule: Omit<PolicyRule, 'action'> = {}): PolicyRule => ({ action: 'Deny', ...rule });
