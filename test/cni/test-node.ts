// A node as the CNI room's tests need it: the real agent, dataplane, links and IPAM in a network namespace of its own, over a
// store in memory. Only the container runtime is played by the test.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { CalicoNetwork } from '../../src/cni/index.ts';
import type { AttachmentRequest } from '../../src/cni/request.ts';
import { readRequest } from '../../src/cni/request.ts';
import { defaultPath, isDispatched, NftablesDataplane, PodLinks } from '../../src/dataplane/index.ts';
import { type Datastore, MemoryDatastore } from '../../src/datastore/index.ts';
import { Felix } from '../../src/felix/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { Nftables, namespacePath, Rtnetlink } from '../../src/kernel/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { type IPPoolSpec, ipPools, namespaces, type Pod, pods } from '../../src/resources/index.ts';
import { type TestNamespace, testNamespace } from '../kernel/test-namespaces.ts';

export const log = createLogger('test', 'silent');

export const dualStack: Record<string, IPPoolSpec> = {
  four: { cidr: '10.20.0.0/26', blockSize: 28 },
  six: { cidr: 'fd20::/122', blockSize: 124 },
};

export interface TestNodeOptions {
  readonly pools?: Readonly<Record<string, IPPoolSpec>>;
  /** What the agent sees of the store. */
  readonly view?: (store: MemoryDatastore) => Datastore;
}

let nodes = 0;
const folder = mkdtempSync(join(tmpdir(), 'calico-test-nodes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

export class TestNode {
  readonly name = `node-${++nodes}`;
  readonly namespace: TestNamespace;
  /** Written as the agent writes it at its start. */
  readonly nodenameFile = join(folder, this.name);
  readonly store: MemoryDatastore;
  readonly links: PodLinks;
  readonly nftables: Nftables;
  readonly ipam: IpamClient;
  readonly datastore: Datastore;
  felix: Felix;
  network: CalicoNetwork;

  static async make(options: TestNodeOptions = {}): Promise<TestNode> {
    const store = new MemoryDatastore();
    await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    for (const [name, spec] of Object.entries(options.pools ?? dualStack)) {
      await store.create(ipPools, {
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name },
        spec,
      });
    }
    return new TestNode(store, options.view?.(store) ?? store);
  }

  private constructor(store: MemoryDatastore, datastore: Datastore) {
    this.store = store;
    this.datastore = datastore;
    this.namespace = testNamespace(this.name);
    writeFileSync(this.nodenameFile, this.name);
    const rtnetlink = Rtnetlink.open({ namespace: this.namespace.fd });
    this.nftables = Nftables.open({ namespace: this.namespace.fd });
    this.links = new PodLinks(rtnetlink, this.namespace.fd);
    this.ipam = new IpamClient(datastore);
    [this.felix, this.network] = this.#agent();
    after(() => {
      this.felix.stop();
      rtnetlink.close();
      this.nftables.close();
    });
  }

  async start(): Promise<this> {
    this.felix.start();
    await this.felix.inSync;
    return this;
  }

  /** What a new process of the agent would be: nothing is remembered but what the kernel and the store hold. */
  async restart(): Promise<void> {
    this.felix.stop();
    [this.felix, this.network] = this.#agent();
    await this.start();
  }

  async createPod(name: string, more: Partial<Pod['metadata']> = {}): Promise<Pod> {
    return this.store.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', ...more },
      spec: { nodeName: this.name, containers: [{ name: 'main', image: 'none' }] },
    });
  }

  #agent(): [Felix, CalicoNetwork] {
    const { name: node, datastore, ipam, links } = this;
    const dataplane = new NftablesDataplane(this.nftables, {
      endpointToHostAction: 'Accept',
      logPrefix: 'calico-packet',
      forgetJudgements: async () => {},
      path: { ...defaultPath, floatingIPs: 'Enabled', workloadSourceSpoofing: 'Any' },
      onTrouble: (error) => log.error({ error }, 'trouble'),
    });
    const felix = new Felix({ node, datastore, dataplane, log });
    const network = new CalicoNetwork({
      node,
      datastore,
      ipam,
      links,
      agent: felix,
      isGuarded: (interfaceName) => isDispatched(this.nftables, interfaceName),
      mtu: 1400,
      mtuFile: '/nonexistent/mtu',
      nodenameFile: this.nodenameFile,
      pluginFolders: ['/usr/lib/cni'],
      log,
    });
    return [felix, network];
  }
}

export const baseConfiguration = {
  cniVersion: '1.1.0',
  name: 'test-net',
  type: 'calico',
  ipam: { type: 'calico-ipam' },
};

export interface Call {
  readonly pod: string;
  readonly uid?: string | undefined;
  readonly container: string;
  readonly namespace: TestNamespace | undefined;
  /** In the pod; "eth0" when absent. */
  readonly interfaceName?: string;
  readonly configuration?: object;
}

/** A request as the container runtime's variables and stdin make it. */
export function requestOf(command: 'ADD' | 'DEL' | 'CHECK', call: Call): AttachmentRequest {
  const request = readRequest({
    environment: variablesOf(command, call),
    stdin: JSON.stringify({ ...baseConfiguration, ...call.configuration }),
  });
  if (request.command === 'GC' || request.command === 'STATUS') throw new Error(`${command} became another`);
  return request;
}

export function variablesOf(
  command: string,
  { pod, uid, container, namespace, interfaceName = 'eth0' }: Call,
): Record<string, string> {
  const uidPart = uid === undefined ? '' : `;K8S_POD_UID=${uid}`;
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: container,
    CNI_NETNS: namespace ? namespacePath(namespace.name) : '',
    CNI_IFNAME: interfaceName,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod}${uidPart}`,
    CNI_PATH: '/usr/lib/cni',
  };
}

/** Runs a program in a namespace of the test's, as other eyes and hands. */
export function inside(namespace: TestNamespace, program: string, ...args: string[]): string {
  return execFileSync('nsenter', [`--net=${namespacePath(namespace.name)}`, program, ...args], {
    stdio: 'pipe',
    encoding: 'utf8',
  });
}

/** What nft(8) lists of our table; empty when there is none. */
export function ruleset(node: TestNode): string {
  return inside(node.namespace, 'nft', 'list', 'ruleset');
}
