// `npm run torture -- pods [--rounds N] [--seed S]`: a node with a thousand pods, or N, made by a real agent: added, policed, opened
// again, kept while the agent is killed, and taken down, with nothing left.
import { randomBytes } from 'node:crypto';
import { closeNamespace, InetSocket, Nftables, openNamespace, pollReadable } from '../src/kernel/index.ts';
import { CniError } from '../src/lab/kubelet/cni.ts';
import { namespacePrefix } from '../src/lab/run/run.ts';
import { ipamHandles, kubernetesNetworkPolicies } from '../src/resources/index.ts';
import { Agents, namespace, type Sandbox } from './agents/agents.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';

const node = 'node-1';
const table = { family: 'inet', name: 'calico' } as const;
const policy = { name: 'deny-all', namespace };
const port = 5_000;
const width = 8;
const pairs = 40;
const patienceMs = 120_000;
const lookMs = 20;
const answerMs = 300;

export async function run({ rounds, seed }: TortureOptions): Promise<boolean> {
  const count = Number.isFinite(rounds) ? rounds : 1_000;
  const random = new Random(seed);
  const agents = await Agents.start({
    id: `torture-pods-${process.pid}`,
    nodes: 1,
    pools: { four: { cidr: '10.80.0.0/20', blockSize: 24, vxlanMode: 'Never' } },
    families: [4],
  });
  const path = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
  using kernel = disposable(Nftables.open({ namespace: path }));
  closeNamespace(path);
  const faults: string[] = [];
  try {
    const sandboxes: Sandbox[] = [];
    const added = await spread(count, async (index) => {
      const pod = await agents.createPod(`p${index}`, node);
      const namespacePath = agents.makePodNamespace(`p${index}`);
      const sandbox = { pod, node, namespacePath, containerId: randomBytes(32).toString('hex') };
      await asked(() => agents.call('ADD', sandbox));
      sandboxes.push(sandbox);
    });
    const links = agents.podLinks(node).length;
    if (links !== count) faults.push(`${links} links`);

    const expect = (state: string, wanted: number) => {
      const heard = Array.from({ length: pairs }, () => {
        const from = random.below(sandboxes.length);
        const to = (from + random.between(1, sandboxes.length - 1)) % sandboxes.length;
        return reaches(agents, sandboxes[from] as Sandbox, sandboxes[to] as Sandbox);
      });
      const reached = heard.filter(Boolean).length;
      if (reached !== wanted) faults.push(`${state}: ${reached} of ${pairs} pairs reached each other`);
    };
    expect('open', pairs);
    const isDenied = () => kernel.value.listChains(table).some(({ name }) => name.endsWith(policy.name));
    const denied = await timed(async () => {
      await agents.datastore.create(kubernetesNetworkPolicies, {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: policy,
        spec: { podSelector: {}, policyTypes: ['Ingress'] },
      });
      await until(isDenied);
    });
    expect('denied', 0);
    const before = agents.restarts;
    agents.kill(node);
    await until(() => agents.restarts > before);
    const stranger = await agents.createPod('last', node);
    const last = {
      pod: stranger,
      node,
      namespacePath: agents.makePodNamespace('last'),
      containerId: randomBytes(32).toString('hex'),
    };
    const recovered = await timed(() => asked(() => agents.call('ADD', last)));
    sandboxes.push(last);
    expect('denied, by the next agent', 0);
    await agents.datastore.delete(kubernetesNetworkPolicies, policy);
    await until(() => !isDenied());
    expect('opened', pairs);

    const deleted = await spread(sandboxes.length, (index) =>
      asked(() => agents.call('DEL', sandboxes[index] as Sandbox)),
    );
    const left = [
      agents.podLinks(node).length,
      (await agents.datastore.list(ipamHandles)).filter(isOfPod).length,
    ];
    if (left.some(Boolean)) faults.push(`${left[0]} links and ${left[1]} handles are left`);
    const cost = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    process.stdout.write(
      `pods: seed ${seed}, ${count} pods added in ${cost(added)}, denied all in ${denied.toFixed(0)} ms, ` +
        `the next agent's first pod after ${cost(recovered)}, deleted in ${cost(deleted)}; ${faults.length} faults\n` +
        faults.map((fault) => `pods: ${fault}\n`).join(''),
    );
    return faults.length === 0;
  } finally {
    await agents.stop();
  }
}

const isOfPod = ({ metadata }: { metadata: { name: string } }) => !/tunnel/.test(metadata.name);

function disposable<T extends { close(): void }>(value: T): { readonly value: T } & Disposable {
  return { value, [Symbol.dispose]: () => value.close() };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** Does all, several at a time; returns milliseconds. */
function spread(count: number, act: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await act(index);
  };
  return timed(() => Promise.all(Array.from({ length: width }, worker)));
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const start = Date.now(); !isTrue(); await new Promise((resolve) => setTimeout(resolve, lookMs))) {
    if (Date.now() - start > patienceMs) throw new Error(`Waited ${patienceMs} ms`);
  }
}

/** As a runtime does, which asks again when it is told to. */
async function asked(ask: () => Promise<unknown>): Promise<void> {
  for (const start = Date.now(); ; ) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof CniError) || Date.now() - start > patienceMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Whether a datagram of one pod arrives at another. */
function reaches(agents: Agents, from: Sandbox, to: Sandbox): boolean {
  const [here, there] = [openNamespace(from.namespacePath), openNamespace(to.namespacePath)];
  const client = InetSocket.open({ family: 4, type: 'datagram', namespace: here });
  const server = InetSocket.open({ family: 4, type: 'datagram', namespace: there });
  try {
    const [address = ''] = agents.kernelAddresses(to);
    server.bind({ address, port });
    client.sendTo(Buffer.from('?'), { address, port });
    return pollReadable([server], answerMs).length > 0;
  } finally {
    for (const socket of [client, server]) socket.close();
    for (const namespace of [here, there]) closeNamespace(namespace);
  }
}
