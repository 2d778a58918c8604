// `calicoctl doctor`: finds by name what is not well in the cluster, and on this machine where it is a node, and says what to do.
import { styleText } from 'node:util';
import type { GlobalOptions, OutputFormat } from '../options.ts';
import { Session } from '../session.ts';
import { clusterChecks, localChecks } from './checks/all.ts';
import { clusterReading, nodeReading } from './checks/reading.ts';
import { readClusterFacts } from './cluster-facts.ts';
import { type Check, examine, type Finding } from './finding.ts';
import { type NodePlaces, readNodeFacts, usualPlaces } from './node-facts.ts';

export interface DoctorOptions extends GlobalOptions {
  readonly output: OutputFormat;
  /** Looks at this machine alone, without asking the cluster. */
  readonly local?: boolean;
  /** Where calico-node keeps its files, below which "lib" and "run" lie; the usual places when absent. */
  readonly nodeRoot?: string;
  /** Folders of the container runtime's CNI configurations and plugins, where they are not the usual ones. */
  readonly cniNetDir?: string;
  readonly cniBinDir?: string;
}

/** Returns 1 when there is an error among the findings; warnings alone are no failure. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const asked: string[] = [];
  const findings: Finding[] = [];
  const ask = <Facts>(checks: readonly Check<Facts>[], facts: Facts) => {
    findings.push(...examine(checks, facts));
    asked.push(...checks.map(({ asks }) => asks));
  };
  if (!options.local) {
    const cluster = await attempt(async () => {
      // Versions that differ are a finding, not a reason not to look.
      await using session = new Session(options);
      return await readClusterFacts(session);
    });
    ask(clusterReading, cluster);
    if (cluster.facts) ask(clusterChecks, cluster.facts);
  }
  const node = await attempt(() => readNodeFacts(placesOf(options)));
  const isNode = node.facts !== undefined || node.fault !== undefined;
  if (isNode) ask(nodeReading, node);
  if (node.facts) ask(localChecks, node.facts);
  process.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ checked: asked, isNode, findings }, undefined, 2)}\n`
      : describe(asked, findings, isNode),
  );
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

async function attempt<Facts>(
  read: () => Promise<Facts>,
): Promise<{ readonly facts?: Facts; readonly fault: unknown }> {
  try {
    return { facts: await read(), fault: undefined };
  } catch (fault) {
    return { fault };
  }
}

function placesOf({ nodeRoot, cniNetDir, cniBinDir }: DoctorOptions): NodePlaces {
  return {
    ...usualPlaces,
    ...(nodeRoot !== undefined && {
      root: nodeRoot,
      nodename: `${nodeRoot}/lib/nodename`,
      mtu: `${nodeRoot}/lib/mtu`,
    }),
    cni: {
      ...usualPlaces.cni,
      // Whoever names folders knows where the runtime looks.
      ...((cniNetDir ?? cniBinDir) !== undefined && { root: undefined }),
      ...(cniNetDir !== undefined && { net: { path: cniNetDir, name: cniNetDir } }),
      ...(cniBinDir !== undefined && { plugins: { path: cniBinDir, name: cniBinDir } }),
    },
  };
}

function describe(asked: readonly string[], findings: readonly Finding[], isNode: boolean): string {
  const lines = findings
    .toSorted((a, b) => a.severity.localeCompare(b.severity))
    .flatMap(({ check, severity, what, where, why, remedy }) => [
      `${styleText(severity === 'error' ? 'red' : 'yellow', severity.padEnd(8))}${check}: ${what}`,
      `        where   ${where}`,
      `        why     ${why}`,
      `        remedy  ${remedy}`,
      '',
    ]);
  const count = (severity: Finding['severity']) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return `${number} ${severity}${number === 1 ? '' : 's'}`;
  };
  const here = isNode
    ? ''
    : '; this machine is no node, so links, tables and files of nodes were not looked at';
  lines.push(`Asked ${asked.length} questions: ${count('error')}, ${count('warning')}${here}`);
  return `${lines.join('\n')}\n`;
}
