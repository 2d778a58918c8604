// What `calicoctl doctor` says, of the cluster and of each node of it: nothing where all is well, and what is wrong by its name.
import assert from 'node:assert/strict';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { type } from '../guide.ts';
import { CommandError } from '../run-command.ts';

export interface Wanted {
  /** "pool-exhausted: The pool has no address left" */
  readonly finding: string | RegExp;
  /** "pool "small" (10.0.0.0/30)" */
  readonly where: string | RegExp;
  readonly remedy: RegExp;
}

interface Told {
  readonly checked: readonly string[];
  readonly findings: readonly {
    readonly check: string;
    readonly severity: 'error' | 'warning';
    readonly what: string;
    readonly where: string;
    readonly remedy: string;
  }[];
}

/** Resolves once neither the cluster nor any node of it has a finding. */
export async function doctorFindsNothing(cluster: Cluster): Promise<void> {
  await doctorTells(cluster, 'the cluster', []);
  for (const { name } of cluster.nodes) await doctorTells(cluster, name, []);
}

/**
 * Resolves once the doctor says this and nothing else of a node, or of "the cluster", but for the checks `besides` that may find
 * something or not: on a machine that is busy, it finds the agent slow, too.
 */
export async function doctorTells(
  cluster: Cluster,
  patient: string,
  wanted: readonly Wanted[],
  { besides = [] }: { readonly besides?: readonly string[] } = {},
): Promise<void> {
  const names = wanted.map(({ finding }) => finding).join() || 'nothing';
  await eventually(`the doctor finds ${names} in ${patient}`, async () => {
    const { code, told } = await examine(cluster, patient);
    assert.notEqual(told.checked.length, 0);
    const findings = told.findings.filter(({ check }) => !besides.includes(check));
    const found = findings.map(({ check, what, where }) => `${check}: ${what}, ${where}`);
    assert.equal(found.length, wanted.length, found.join('; '));
    for (const [index, { finding, where, remedy }] of wanted.entries()) {
      const { check, what, ...said } = findings[index] ?? assert.fail();
      matches(`${check}: ${what}`, finding);
      matches(said.where, where);
      matches(said.remedy, remedy);
    }
    assert.equal(code, told.findings.some(({ severity }) => severity === 'error') ? 1 : 0);
    return true;
  });
}

function matches(text: string, wanted: string | RegExp): void {
  if (typeof wanted === 'string') assert.equal(text, wanted);
  else assert.match(text, wanted);
}

async function examine(cluster: Cluster, patient: string): Promise<{ code: number | null; told: Told }> {
  try {
    const text = await (patient === 'the cluster'
      ? type(cluster, 'calicoctl doctor --output=json')
      : onNode(cluster, patient));
    return { code: 0, told: JSON.parse(text) };
  } catch (error) {
    // kubectl exec ends as what it has started did.
    if (!(error instanceof CommandError) || !error.stdout.startsWith('{')) throw error;
    return { code: error.code, told: JSON.parse(error.stdout) };
  }
}

/** As docs/troubleshooting.md tells. */
async function onNode(cluster: Cluster, node: string): Promise<string> {
  const pod = await cluster.kubectl([
    'get',
    'pods',
    '--namespace=calico-system',
    '--selector=k8s-app=calico-node',
    `--field-selector=spec.nodeName=${node}`,
    '--output=name',
  ]);
  const command = ['calicoctl', 'doctor', '--local', '--output=json'];
  return cluster.kubectl(['exec', '--namespace=calico-system', pod.trim(), '--', ...command]);
}
