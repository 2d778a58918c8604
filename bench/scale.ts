// What large clusters cost one node: the first synchronisation, from parsed objects at calc's door to the kernel's commit, and then
// one object changed. Each cluster in a process of its own, for its memory; compare with the budgets of the design.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Calculator } from '../src/calc/index.ts';
import { NftablesDataplane } from '../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../src/kernel/index.ts';
import type { KubernetesNetworkPolicy, Pod } from '../src/resources/index.ts';

interface Cluster {
  readonly pods: number;
  readonly localPods: number;
  readonly namespaces: number;
  readonly policies: number;
  /** What the design allows. */
  readonly budget: string;
}

const clusters: Readonly<Record<string, Cluster>> = {
  '10k-1k': {
    pods: 10_000,
    localPods: 100,
    namespaces: 100,
    policies: 1000,
    budget: 'a change p50 5 ms, p99 25 ms; at rest 200 MiB',
  },
  '30k-30k': {
    pods: 30_000,
    localPods: 100,
    namespaces: 1000,
    policies: 30_000,
    budget: 'a change p50 9 ms, p99 50 ms',
  },
  '100k-10k': {
    pods: 100_000,
    localPods: 200,
    namespaces: 1000,
    policies: 10_000,
    budget: 'first synchronisation 5 s, 600 MiB, no pause above 20 ms',
  },
  '100k-75k': {
    pods: 100_000,
    localPods: 100,
    namespaces: 25_000,
    policies: 75_000,
    budget: 'first synchronisation 6 s, 1.5 GiB',
  },
};

const apps = 20;
const rounds = 100;
/** As many objects as the API server gives in a page. */
const page = 500;
const node = 'here';

/** One pod in so many is here; the others of its namespace are not. */
function stepOf({ pods, localPods }: Cluster): number {
  return Math.floor(pods / localPods) + 1;
}

/** The policy of a pod's own app. */
function policyIndexOf({ namespaces }: Cluster, pod: number): number {
  const app = Math.floor(pod / namespaces) % apps;
  return app * namespaces + (pod % namespaces);
}

function podOf(cluster: Cluster, index: number, labels: Record<string, string> = {}): Pod {
  const isLocal = index % stepOf(cluster) === 0;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: `team-${index % cluster.namespaces}`,
      name: `pod-${index}`,
      uid: `uid-${index}`,
      labels: {
        app: `app-${Math.floor(index / cluster.namespaces) % apps}`,
        'pod-template-hash': `${index % 7919}`,
        ...labels,
      },
    },
    spec: {
      nodeName: isLocal ? node : `node-${index % 500}`,
      serviceAccountName: 'default',
      containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
    },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}` }],
    },
  };
}

/** An app of its namespace is open to another app of it, and to one of some other namespace. */
function policyOf({ namespaces }: Cluster, index: number, port = 8080): KubernetesNetworkPolicy {
  const number = Math.floor(index / namespaces);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: `team-${index % namespaces}`, name: `policy-${number}` },
    spec: {
      podSelector: { matchLabels: { app: `app-${number % apps}` } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { app: `app-${(number + 1) % apps}` } } },
            {
              namespaceSelector: { matchLabels: { team: `${(index * 7) % namespaces}` } },
              podSelector: { matchLabels: { app: `app-${(number + 2) % apps}` } },
            },
          ],
          ports: [
            { protocol: 'TCP', port },
            { protocol: 'TCP', port: 'http' },
          ],
        },
      ],
    },
  };
}

/** Milliseconds: median and 99th percentile. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function measure(label: string, cluster: Cluster): Promise<void> {
  // By which bench/run.ts knows it again.
  const name = `bench-${process.ppid}-${process.pid}`;
  createNamespace(name);
  const namespace = openNamespace(namespacePath(name));
  const nftables = Nftables.open({ namespace });
  try {
    const calculator = new Calculator({ node });
    const dataplane = new NftablesDataplane(nftables, {
      endpointToHostAction: 'Accept',
      logPrefix: 'calico-packet',
      forgetJudgements: async () => {},
      onTrouble: (error) => {
        throw error;
      },
    });
    const pauses: number[] = [];
    /** Does something without giving way, and notes for how long. */
    const turn = async (act: () => void) => {
      await new Promise(setImmediate);
      const begun = performance.now();
      act();
      pauses.push(performance.now() - begun);
    };
    const pages = async (count: number, take: (index: number) => void) => {
      for (let first = 0; first < count; first += page) {
        await turn(() => {
          for (let index = first; index < Math.min(first + page, count); index++) take(index);
        });
      }
    };
    const apply = () => dataplane.apply(calculator.state, calculator.takeChanges());

    const started = performance.now();
    await pages(cluster.namespaces, (index) =>
      calculator.setNamespace({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: `team-${index}`, labels: { team: `${index}` } },
      }),
    );
    await pages(cluster.pods, (index) => calculator.setPod(podOf(cluster, index)));
    await pages(cluster.policies, (index) => calculator.setKubernetesNetworkPolicy(policyOf(cluster, index)));
    const calculated = performance.now() - started;
    await turn(apply);
    const took = performance.now() - started;
    const worst = Math.max(...pauses).toFixed(0);
    const { maxRSS } = process.resourceUsage();
    await dataplane.settled();
    globalThis.gc?.();
    const rest = process.memoryUsage();
    const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    console.log(
      `${label}: ${cluster.pods} pods (${cluster.localPods} here), ${cluster.namespaces} namespaces, ${cluster.policies} policies; budget: ${cluster.budget}`,
    );
    console.log(
      `  first synchronisation ${took.toFixed(0)} ms, of which in the kernel ${(took - calculated).toFixed(0)}; longest pause ${worst} ms; at most ${mib(maxRSS * 1024)}, afterwards ${mib(rest.rss)} of which heap ${mib(rest.heapUsed)}`,
    );
    const one = async (change: (round: number) => void) => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const begun = performance.now();
        change(round);
        assert.notEqual(calculator.hasChanges, false, 'nothing for this node to do');
        apply();
        times.push(performance.now() - begun);
        await dataplane.settled();
      }
      return times;
    };
    const { namespaces } = cluster;
    /** Pods that are here, each under the policy of its own app. */
    const here = Array.from({ length: cluster.localPods }, (_, number) => number * stepOf(cluster)).filter(
      (index) => policyIndexOf(cluster, index) < cluster.policies,
    );
    const turnOf = (round: number) => here[round % here.length] ?? 0;
    // Beside it, of the app that may speak to it: it goes, and comes back the next time.
    const labels = await one((round) => {
      const beside = turnOf(round) + namespaces;
      const leaves = Math.floor(round / here.length) % 2 === 0;
      calculator.setPod(podOf(cluster, beside, leaves ? { app: 'another' } : {}));
    });
    const policies = await one((round) => {
      const index = policyIndexOf(cluster, turnOf(round));
      calculator.setKubernetesNetworkPolicy(policyOf(cluster, index, 9000 + round));
    });
    console.log(
      `  labels of a pod: ${summary(labels)}; a policy: ${summary(policies)}; ${rounds} rounds each`,
    );
  } finally {
    nftables.close();
    closeNamespace(namespace);
    deleteNamespace(name);
  }
}

const [wanted] = process.argv.slice(2);
const cluster = wanted === undefined ? undefined : clusters[wanted];
if (wanted !== undefined && cluster) await measure(wanted, cluster);
else {
  for (const label of Object.keys(clusters)) {
    const { status } = spawnSync(process.execPath, ['--expose-gc', import.meta.filename, label], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
  }
}
