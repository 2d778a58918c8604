// What setting a pod up costs, between the start of the plugin and its answer: one at a time and a hundred at once, beside the
// reference plugins `bridge` and `host-local` in the same run. A real agent in a network namespace, and an API server beside us.
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { abortOnSignals } from '../src/lab/abort.ts';
import { type CniCall, callCni } from '../src/lab/kubelet/cni.ts';
import { Agents, namespace, type Sandbox } from '../torture/agents/agents.ts';

const alone = 60;
const burst = 100;
const node = 'node-1';

/** Milliseconds: median and 99th percentile. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

const interrupted = new AbortController();
abortOnSignals(interrupted);

/** Does one after the other, and returns what each took. @throws Interrupted between two of them */
async function each<T>(list: readonly T[], act: (one: T) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const one of list) {
    interrupted.signal.throwIfAborted();
    const start = performance.now();
    await act(one);
    times.push(performance.now() - start);
  }
  return times;
}

/** Does all at once, and returns what that took. */
async function together<T>(list: readonly T[], act: (one: T) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await Promise.all(list.map(act));
  return performance.now() - start;
}

/** Milliseconds of CPU that the agent has used so far, to a hundredth of a second. Source: proc(5), fields 14 and 15 of stat. */
function agentCpuMs(): number {
  const stat = readFileSync(`/proc/${agents.pidOf(node)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const agents = await Agents.start({
  id: `bench-cni-${process.pid}`,
  nodes: 1,
  pools: { four: { cidr: '10.66.0.0/20', blockSize: 26, vxlanMode: 'Never' } },
  families: [4],
});
const dataDir = join(agents.run.folder, 'host-local');

/** Pods that are there, with namespaces, and wait for their links. */
async function sandboxes(name: string, count: number): Promise<Sandbox[]> {
  const made: Sandbox[] = [];
  for (let i = 0; i < count; i++) {
    const pod = await agents.createPod(`${name}-${i}`, node);
    const namespacePath = agents.makePodNamespace(`${name}-${i}`);
    made.push({ pod, node, containerId: randomBytes(32).toString('hex'), namespacePath });
  }
  return made;
}

async function overSocket({ pod, containerId, namespacePath }: Sandbox): Promise<void> {
  const configuration = agents.configuration(node);
  const { name, uid } = pod.metadata;
  const socket = connect(configuration.agent_socket);
  const environment = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: containerId,
    CNI_NETNS: namespacePath,
    CNI_IFNAME: 'eth0',
    CNI_ARGS: `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=${uid}`,
  };
  socket.write(
    `${JSON.stringify({ program: 'calico', environment, stdin: JSON.stringify(configuration) })}\n`,
  );
  const { exitCode, stdout } = JSON.parse(await text(socket));
  if (exitCode !== 0) throw new Error(stdout);
}

function bridge(sandbox: Sandbox): Promise<string[]> {
  const call: CniCall = {
    ...sandbox,
    plugin: '/usr/lib/cni/bridge',
    command: 'ADD',
    configuration: JSON.stringify({
      cniVersion: '1.0.0',
      name: 'bench-bridge',
      type: 'bridge',
      bridge: 'bench0',
      isGateway: true,
      ipam: { type: 'host-local', dataDir, subnet: '10.67.0.0/20', routes: [{ dst: '0.0.0.0/0' }] },
    }),
    environment: {},
    spawnOnNode: agents.onNode(node),
    signal: AbortSignal.timeout(60_000),
  };
  return callCni(call);
}

try {
  // The first ones warm caches and claim blocks; they count nowhere.
  await each(await sandboxes('warm', 10), (sandbox) => agents.call('ADD', sandbox));
  await each(await sandboxes('warm-bridge', 3), bridge);

  const plugin = await each(await sandboxes('alone', alone), (sandbox) => agents.call('ADD', sandbox));
  console.log(`  ADD alone, plugin's start to its answer: ${summary(plugin)} (budget 30 and 60)`);
  const cpuBefore = agentCpuMs();
  const socket = await each(await sandboxes('socket', alone), overSocket);
  console.log(`  ADD alone, over the agent's socket, datastore included: ${summary(socket)}`);
  const cpuMs = (agentCpuMs() - cpuBefore) / alone;
  console.log(`  CPU that the agent spends on one: ${cpuMs.toFixed(1)} ms (budget 6)`);
  const reference = await each(await sandboxes('bridge', alone), bridge);
  console.log(`  ADD alone, bridge and host-local: ${summary(reference)}`);

  const bySocket = await together(await sandboxes('burst-socket', burst), overSocket);
  console.log(
    `  ${burst} ADDs at once over the agent's socket: ${bySocket.toFixed(0)} ms, ${((burst * 1000) / bySocket).toFixed(0)} a second (budget 100)`,
  );
  const byPlugin = await together(await sandboxes('burst', burst), (sandbox) => agents.call('ADD', sandbox));
  const byBridge = await together(await sandboxes('burst-bridge', burst), bridge);
  console.log(
    `  ${burst} ADDs at once by plugins: ours ${byPlugin.toFixed(0)} ms, bridge and host-local ${byBridge.toFixed(0)} ms, ratio ${(byPlugin / byBridge).toFixed(2)}`,
  );
} finally {
  rmSync(dataDir, { recursive: true, force: true });
  await agents.stop();
}
