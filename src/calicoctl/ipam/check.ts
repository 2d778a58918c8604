// `calicoctl ipam check`: audits a cluster's addresses, tells what is wrong, and writes a report from which it can be repaired.
import { writeFileSync } from 'node:fs';
import { auditIpam, type IpamAudit, readSnapshot } from '../../ipam/index.ts';
import type { GlobalOptions } from '../options.ts';
import { openSession, readClusterInformation } from '../session.ts';
import { version } from '../version.ts';
import type { IpamReport } from './report.ts';

export interface CheckOptions extends GlobalOptions {
  readonly showAllIps?: boolean;
  readonly showProblemIps?: boolean;
  /** File for the report; "-" for the standard output, which then holds nothing else. */
  readonly output?: string;
}

/** Returns 0 whether or not there are problems, as upstream: they are the answer, not a failure to give one. */
export async function check(options: CheckOptions): Promise<number> {
  await using session = await openSession(options);
  const [snapshot, information] = await Promise.all([
    readSnapshot(session.datastore),
    readClusterInformation(session.client),
  ]);
  const audit = auditIpam(snapshot);
  const { allocations, ...findings } = audit;
  const report: IpamReport = {
    version,
    clusterGUID: information?.spec?.clusterGUID ?? '',
    takenAt: new Date().toISOString(),
    ...findings,
    ...(options.showAllIps && { allocations }),
  };
  const json = `${JSON.stringify(report, undefined, 2)}\n`;
  if (options.output === '-') {
    process.stdout.write(json);
    return 0;
  }
  const counts = {
    pools: snapshot.pools.length,
    blocks: snapshot.blocks.length,
    nodes: snapshot.nodes.length,
    pods: snapshot.pods.length,
  };
  process.stdout.write(describeAudit(audit, counts, options));
  if (options.output !== undefined) {
    writeFileSync(options.output, json);
    process.stdout.write(`Wrote the report to ${options.output}\n`);
  }
  return 0;
}

function describeAudit(
  audit: IpamAudit,
  counts: Readonly<Record<string, number>>,
  { showAllIps, showProblemIps }: CheckOptions,
): string {
  const lines = [
    `Checked ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}; ${audit.allocations.length} addresses are assigned`,
  ];
  if (showAllIps) {
    const leaked = new Map(audit.leakedAddresses.map(({ address, reason }) => [address, reason]));
    for (const { address, handle } of audit.allocations) {
      const reason = leaked.get(address);
      lines.push(`  ${address} ${handle ?? ''}${reason === undefined ? '' : ` leaked: ${reason}`}`);
    }
  }
  const section = (title: string, findings: readonly string[], showsEach = true): void => {
    if (findings.length === 0) return;
    lines.push(`${findings.length} ${title}`);
    if (showsEach) lines.push(...findings.map((finding) => `  ${finding}`));
  };
  const isShown = showAllIps || showProblemIps;
  section(
    'assigned addresses belong to nobody (leaked)',
    audit.leakedAddresses.map(({ address, handle, reason }) => `${address} ${handle ?? ''}: ${reason}`),
    isShown === true,
  );
  section(
    'handles count what blocks do not assign (leaked handles)',
    audit.wrongHandles.map(({ handle }) => handle),
  );
  section(
    'blocks are half claimed',
    audit.halfClaimedBlocks.map(
      ({ block, node, state }) => `${block} by node "${node}": the claim is ${state}`,
    ),
  );
  section(
    'blocks belong to nodes that do not exist',
    audit.orphanedBlocks.map(({ block, node }) => `${block} of node "${node}"`),
  );
  section(
    'addresses are in use but not assigned',
    audit.unassignedAddresses.map(({ address, users }) => `${address} by ${users.join(', ')}`),
    isShown === true,
  );
  section(
    'addresses are in use by several',
    audit.sharedAddresses.map(({ address, users }) => `${address} by ${users.join(', ')}`),
  );
  section('blocks lie in no pool', audit.blocksOutsidePools);
  const problems = countProblems(audit);
  lines.push(problems === 0 ? 'Found no problems' : `Found ${problems} problems`);
  return `${lines.join('\n')}\n`;
}

function countProblems({ allocations: _allocations, ...findings }: IpamAudit): number {
  return Object.values(findings).reduce((sum, list) => sum + list.length, 0);
}
