// Runs the truth tables on real pods of the cluster, and probes every pod from every pod inside their own network namespaces.
import type { TestContext } from 'node:test';
import { Prober } from '../../../src/lab/prober/client.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { apply, readyPods } from '../pods.ts';
import { busyboxImage } from '../test-images.ts';
import { blockCases } from './address-blocks.ts';
import {
  casesOf,
  type NetworkPolicy,
  namespaceNames,
  type Party,
  type Protocol,
  podNames,
  ports,
  type Step,
  tcpCases,
} from './truth-table.ts';

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];
const parties: readonly Party[] = namespaceNames.flatMap((ns) => podNames.map((pod) => ({ ns, pod })));
const keyOf = ({ ns, pod }: Party) => `${ns}/${pod}`;

export async function networkPolicies(t: TestContext, cluster: Cluster): Promise<void> {
  const addresses = await startPods(cluster);
  const prober = new Prober(cluster.run.id);
  try {
    await listenEverywhere(cluster, prober, addresses);
    const addressOf = (party: string) => addresses.get(party) ?? '';
    const cases = [...tcpCases, ...blockCases(addressOf), ...casesOf('udp'), ...casesOf('sctp')];
    for (const { name, protocol = 'tcp', steps } of cases) {
      await t.test(`${name} (${protocol})`, async () => {
        for (const step of steps) {
          await take(cluster, step);
          await untilAsExpected(prober, protocol, step);
        }
        await cluster.kubectl(['delete', 'networkpolicy', '--all', '--all-namespaces']);
      });
    }
  } finally {
    await prober.close();
  }
}

/** Nine pods over the nodes; addresses by "x/a". */
async function startPods(cluster: Cluster): Promise<Map<string, string>> {
  await apply(
    cluster,
    ...namespaceNames.map((ns) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: ns, labels: { ns } },
    })),
  );
  await apply(cluster, ...parties.map((party, index) => silentPod(party, `node-${(index % 3) + 1}`)));
  const addresses = new Map<string, string>();
  for (const ns of namespaceNames) {
    for (const [pod, { ip }] of await readyPods(cluster, podNames, ns)) addresses.set(`${ns}/${pod}`, ip);
  }
  return addresses;
}

/** It says which ports it has; the sockets are the prober's. */
function silentPod({ ns, pod }: Party, node: string): object {
  const containerPorts = protocols.flatMap((protocol) =>
    ports.map((port) => ({
      name: `serve-${port}-${protocol}`,
      containerPort: port,
      protocol: protocol.toUpperCase(),
    })),
  );
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace: ns, labels: { pod } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'silent', image: busyboxImage, imagePullPolicy: 'Never', ports: containerPorts }],
    },
  };
}

async function listenEverywhere(
  cluster: Cluster,
  prober: Prober,
  addresses: ReadonlyMap<string, string>,
): Promise<void> {
  for (const node of cluster.nodes) {
    const namespacePath = node.seenFromOutside('/proc/1/ns/net');
    await prober.ask('addNode', { name: node.name, namespacePath, address: node.address });
    const paths = await node.podNamespaces();
    for (const [key, ip] of addresses) {
      const path = paths.get(ip);
      if (path === undefined) continue;
      const listen = protocols.flatMap((protocol) => ports.map((port) => ({ protocol, port })));
      await prober.ask('addPod', { key, node: node.name, namespacePath: path, ip, listen });
    }
  }
}

async function take(cluster: Cluster, { policies = [], withdraw = [], labels = {} }: Step): Promise<void> {
  if (policies.length > 0) await apply(cluster, ...policies.map(policyObject));
  if (withdraw.length > 0) {
    await cluster.kubectl(['delete', '--namespace=x', 'networkpolicy', ...withdraw]);
  }
  for (const [target, wanted] of Object.entries(labels)) {
    const [ns = '', pod] = target.split('/');
    const what = pod === undefined ? [`namespace/${ns}`] : [`--namespace=${ns}`, `pod/${pod}`];
    const values = Object.entries(wanted).map(([name, value]) =>
      value === null ? `${name}-` : `${name}=${value}`,
    );
    await cluster.kubectl(['label', '--overwrite', ...what, ...values]);
  }
}

function policyObject({ name, namespace, spec }: NetworkPolicy): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/** Resolves once all of the cells are as the case says, twice in a row: a policy comes into force some moments after it was applied. */
async function untilAsExpected(
  prober: Prober,
  protocol: Protocol,
  { port = 80, reaches }: Step,
): Promise<void> {
  let inARow = 0;
  await eventually(
    `${protocol}/${port} reaches as the case says`,
    async () => {
      const { open } = await prober.ask('probe', {
        protocol,
        pods: parties.map((party) => ({ key: keyOf(party), port })),
      });
      const isOpen = new Set(open.map(([from, to]) => `${from},${to}`));
      const wrong = parties.flatMap((from, i) =>
        parties.flatMap((to, j) =>
          i !== j && isOpen.has(`${i},${j}`) !== reaches(from, to)
            ? [`${keyOf(from)} to ${keyOf(to)} is ${reaches(from, to) ? 'blocked' : 'open'}`]
            : [],
        ),
      );
      if (wrong.length > 0) {
        inARow = 0;
        throw new Error(wrong.join(', '));
      }
      return ++inARow === 2;
    },
    { deadlineMs: 60_000, everyMs: 50 },
  );
}
