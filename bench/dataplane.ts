// What a change of policy costs between a parsed object and the kernel's commit: 1,000 endpoints on the node, each under ten
// policies of twenty rules, in a network namespace of its own. Compare with the budgets of the design.
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

const endpoints = 1000;
const policies = 10;
const rules = 20;
const rounds = 200;

function pod(index: number, node: string, labels: Record<string, string>): Pod {
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'bench',
      name: `pod-${index}`,
      uid: `uid-${index}`,
      labels,
    },
    spec: { nodeName: node, containers: [{ name: 'main' }] },
    status: { phase: 'Running', podIPs: [{ ip: address }] },
  };
}

function policy(number: number, shift: number): KubernetesNetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'bench', name: `policy-${number}` },
    spec: {
      podSelector: {},
      ingress: Array.from({ length: rules }, (_, rule) => ({
        from: [{ podSelector: { matchLabels: { group: `g${rule}` } } }],
        ports: [{ port: 1000 + rule + shift }],
      })),
    },
  };
}

/** Milliseconds: median and 99th percentile. */
function summary(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

const name = `bench-${process.pid}`;
createNamespace(name);
const namespace = openNamespace(namespacePath(name));
const nftables = Nftables.open({ namespace });
try {
  const calculator = new Calculator({ node: 'here' });
  const dataplane = new NftablesDataplane(nftables, {
    endpointToHostAction: 'Accept',
    logPrefix: 'calico-packet',
    forgetJudgements: async () => {},
    onTrouble: (error) => {
      throw error;
    },
  });
  /** Commits that begin a generation come when the packets have left that were under way, and hold up nobody who waits for the change. */
  const generations: number[] = [];
  const timed = async (change: () => void): Promise<number> => {
    const started = performance.now();
    change();
    dataplane.apply(calculator.state, calculator.takeChanges());
    const took = performance.now() - started;
    const { commit } = nftables;
    nftables.commit = (transaction) => {
      const begun = performance.now();
      commit.call(nftables, transaction);
      generations.push(performance.now() - begun);
    };
    await dataplane.settled();
    nftables.commit = commit;
    return took;
  };
  const first = await timed(() => {
    calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
    for (let index = 0; index < endpoints; index++)
      calculator.setPod(pod(index, 'here', { group: `g${index % rules}` }));
    for (let index = 0; index < 9000; index++) {
      calculator.setPod(pod(endpoints + index, 'elsewhere', { group: `g${index % rules}` }));
    }
    for (let number = 0; number < policies; number++)
      calculator.setKubernetesNetworkPolicy(policy(number, 0));
  });
  console.log(
    `first load, ${endpoints} local of 10,000 pods, ${policies} policies of ${rules} rules: ${first.toFixed(0)} ms`,
  );
  const element: number[] = [];
  const rewrite: number[] = [];
  const added: number[] = [];
  for (let round = 0; round < rounds; round++) {
    element.push(await timed(() => calculator.setPod(pod(70_000 + round, 'elsewhere', { group: 'g1' }))));
    rewrite.push(await timed(() => calculator.setKubernetesNetworkPolicy(policy(3, 1 + (round % 50)))));
    added.push(await timed(() => calculator.setPod(pod(80_000 + round, 'here', { group: 'g2' }))));
  }
  console.log(`one member of one set: ${summary(element)} (budget 0.1 ms)`);
  console.log(`one policy of ${rules} rules rewritten: ${summary(rewrite)} (budget 2 ms)`);
  console.log(`one endpoint added: ${summary(added)}`);
  console.log(`the next generation, later: ${summary(generations)}`);
  console.log(`inputs: ${rounds} rounds, one process, calculation and commit together`);
} finally {
  nftables.close();
  closeNamespace(namespace);
  deleteNamespace(name);
}
