// `calicoctl ipam check`: audits a cluster's addresses, tells what is wrong, and writes a report from which it can be repaired.
import { writeFileSync } from 'node:fs';
import { auditIpam, type IpamAudit, readSnapshot } from '../../ipam/index.ts';
import type { GlobalOptions } from '../options.ts';
import { openSession, readClusterInformation } from '../session.ts';
import { version } from '../version.ts';
import { counted } from './counted.ts';
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
      .map(([names, count]) => counted(count, names.slice(0, -1), names))
      .join(', ')}; ${counted(audit.allocations.length, 'address is', 'addresses are')} assigned`,
  ];
  if (showAllIps) {
    const leaked = new Map(audit.leakedAddresses.map(({ address, reason }) => [address, reason]));
    for (const { address, handle } of audit.allocations) {
      const reason = leaked.get(address);
      lines.push(`  ${address} ${handle ?? ''}${reason === undefined ? '' : ` leaked: ${reason}`}`);
    }
  }
  const section = (
    one: string,
    many: string,
    findings: readonly string[],
    showsEach: boolean = true,
  ): void => {
    if (findings.length === 0) return;
    lines.push(counted(findings.length, one, many));
    if (showsEach) lines.push(...findings.map((finding) => `  ${finding}`));
  };
  const isShown = showAllIps || showProblemIps;
  section(
    'assigned address belongs to nobody (leaked)',
    'assigned addresses belong to nobody (leaked)',
    audit.leakedAddresses.map(({ address, handle, reason }) => `${address} ${handle ?? ''}: ${reason}`),
    isShown === true,
  );
  section(
    'handle counts what blocks do not assign (leaked handle)',
    'handles count what blocks do not assign (leaked handles)',
    audit.wrongHandles.map(({ handle }) => handle),
  );
  section(
    'block is half claimed',
    'blocks are half claimed',
    audit.halfClaimedBlocks.map(
      ({ block, node, state }) => `${block} by node "${node}": the claim is ${state}`,
    ),
  );
  section(
    'block belongs to a node that does not exist',
    'blocks belong to nodes that do not exist',
    audit.orphanedBlocks.map(({ block, node }) => `${block} of node "${node}"`),
  );
  section(
    'address is in use but not assigned',
    'addresses are in use but not assigned',
    audit.unassignedAddresses.map(({ address, users }) => `${address} by ${users.join(', ')}`),
    isShown === true,
  );
  section(
    'address is in use by several',
    'addresses are in use by several',
    audit.sharedAddresses.map(({ address, users }) => `${address} by ${users.join(', ')}`),
  );
  section('block lies in no pool', 'blocks lie in no pool', audit.blocksOutsidePools);
  section(
    'block cannot be read, and keeps whatever it assigns',
    'blocks cannot be read, and keep whatever they assign',
    audit.unreadableBlocks.map(({ name, fault }) => `IPAMBlock "${name}": ${fault}`),
  );
  const problems = countProblems(audit);
  lines.push(problems === 0 ? 'Found no problems' : `Found ${counted(problems, 'problem', 'problems')}`);
  return `${lines.join('\n')}\n`;
}

function countProblems({ allocations: _allocations, ...findings }: IpamAudit): number {
  return Object.values(findings).reduce((sum, list) => sum + list.length, 0);
}
