// `calicoctl ipam release`: frees one address, or repairs what every one of some reports found.
import { auditIpam, IpamRepair, readSnapshot } from '../../ipam/index.ts';
import { tryParseAddress } from '../../net/index.ts';
import type { GlobalOptions } from '../options.ts';
import { CommandError, problemsOf, reportProblems } from '../problem.ts';
import { openSession, readClusterInformation, type Session } from '../session.ts';
import { counted } from './counted.ts';
import { type IpamReport, intersectReports, readReport } from './report.ts';

export interface ReleaseOptions extends GlobalOptions {
  readonly ip?: string;
  readonly fromReport?: readonly string[];
  /** Does not ask again whether the owners are gone; that an assignment is still the same one is always asked. */
  readonly force?: boolean;
}

/** Returns 1 when something that the reports name could not be repaired. */
export async function release(options: ReleaseOptions): Promise<number> {
  const { ip, fromReport = [] } = options;
  if ((ip === undefined) === (fromReport.length === 0)) {
    throw new CommandError('Say what to release: either an address with --ip, or reports with --from-report');
  }
  const report = intersectReports(fromReport.map(readReport));
  await using session = await openSession(options);
  if (report) return await releaseReport(session, report, options.force === true);
  await releaseAddress(session, ip ?? '');
  return 0;
}

async function releaseAddress({ datastore }: Session, ip: string): Promise<void> {
  if (!tryParseAddress(ip)) throw new CommandError(`"${ip}" is not an IP address`);
  const repair = new IpamRepair(datastore);
  const allocation = await repair.findAllocation(ip);
  if (!allocation || !(await repair.releaseAllocation(allocation))) {
    throw new CommandError(`Cannot release ${ip}: it is not assigned`);
  }
  process.stdout.write(`Released ${ip}\n`);
}

async function releaseReport(session: Session, report: IpamReport, isForced: boolean): Promise<number> {
  const cluster = (await readClusterInformation(session.client))?.spec?.clusterGUID ?? '';
  if (cluster !== report.clusterGUID) {
    throw new CommandError(
      `Cannot use the report: it is of cluster "${report.clusterGUID}" and this is "${cluster}"`,
    );
  }
  // What has changed since the report was taken is seen by checking again, unless that is not wanted.
  const still = isForced
    ? report
    : (intersectReports([report, { ...report, ...auditIpam(await readSnapshot(session.datastore)) }]) ??
      report);
  const repair = new IpamRepair(session.datastore);
  const { leakedAddresses, wrongHandles, halfClaimedBlocks, orphanedBlocks } = still;
  const failures = [
    await each('leaked address', 'leaked addresses', 'released', leakedAddresses, (finding) =>
      repair.releaseAllocation(finding),
    ),
    await each('handle', 'handles', 'counted anew', wrongHandles, (finding) => repair.recountHandle(finding)),
    await each('half-claimed block', 'half-claimed blocks', 'settled', halfClaimedBlocks, (finding) =>
      repair.settleClaim(finding),
    ),
    await each(
      'block of a removed node',
      'blocks of removed nodes',
      'released',
      orphanedBlocks,
      async (finding) => {
        await repair.releaseOrphan(finding);
        return true;
      },
    ),
  ];
  const gone = count(report) - count(still);
  if (gone > 0) process.stdout.write(`${counted(gone, 'finding', 'findings')} had gone since the report\n`);
  return failures.every((failed) => failed === 0) ? 0 : 1;
}

/** Repairs one finding after another, whatever becomes of the others, and returns how many could not be repaired. */
async function each<T>(
  one: string,
  many: string,
  done: string,
  findings: readonly T[],
  repairOne: (finding: T) => Promise<boolean>,
): Promise<number> {
  if (findings.length === 0) return 0;
  let [repaired, failed] = [0, 0];
  for (const finding of findings) {
    try {
      if (await repairOne(finding)) repaired++;
    } catch (error) {
      failed++;
      reportProblems(problemsOf(error), 'text');
    }
  }
  const changed = findings.length - repaired - failed;
  const left = changed > 0 ? `; ${changed} had changed and ${changed === 1 ? 'was' : 'were'} left alone` : '';
  process.stdout.write(`${counted(repaired, one, many)} ${done}${left}\n`);
  return failed;
}

function count({ leakedAddresses, wrongHandles, halfClaimedBlocks, orphanedBlocks }: IpamReport): number {
  return leakedAddresses.length + wrongHandles.length + halfClaimedBlocks.length + orphanedBlocks.length;
}
