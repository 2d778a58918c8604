// The report that `ipam check` writes and `ipam release --from-report` reads.
import { readFileSync } from 'node:fs';
import type { IpamAudit } from '../../ipam/index.ts';
import { CommandError } from '../problem.ts';

export interface IpamReport extends Omit<IpamAudit, 'allocations'> {
  /** Of calicoctl. */
  readonly version: string;
  /** Of the cluster that was checked: a report is of no use in another. */
  readonly clusterGUID: string;
  /** RFC 3339. */
  readonly takenAt: string;
  /** Only when they were asked for. */
  readonly allocations?: IpamAudit['allocations'];
}

/** @throws CommandError when a file cannot be read or is no report */
export function readReport(file: string): IpamReport {
  let report: unknown;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CommandError(`Cannot read report "${file}": ${(cause as Error).message}`, undefined, { cause });
  }
  if (!isReport(report))
    throw new CommandError(`Cannot read report "${file}": it was not written by "ipam check"`);
  return report;
}

/** What every one of the reports found: a finding that vanished between two checks was none. */
export function intersectReports(reports: readonly IpamReport[]): IpamReport | undefined {
  const [first, ...others] = reports;
  if (!first) return undefined;
  const inAll = <T>(list: (report: IpamReport) => readonly T[], keyOf: (finding: T) => string): T[] =>
    list(first).filter((finding) =>
      others.every((report) => list(report).some((other) => keyOf(other) === keyOf(finding))),
    );
  return {
    ...first,
    leakedAddresses: inAll(
      (report) => report.leakedAddresses,
      ({ address, handle, sequenceNumber }) => `${address} ${handle} ${sequenceNumber}`,
    ),
    wrongHandles: inAll(
      (report) => report.wrongHandles,
      ({ handle, resourceVersion }) => `${handle} ${resourceVersion}`,
    ),
    halfClaimedBlocks: inAll(
      (report) => report.halfClaimedBlocks,
      ({ node, block, resourceVersion }) => `${node} ${block} ${resourceVersion}`,
    ),
    orphanedBlocks: inAll(
      (report) => report.orphanedBlocks,
      ({ node, block }) => `${node} ${block}`,
    ),
  };
}

function isReport(value: unknown): value is IpamReport {
  const lists = ['leakedAddresses', 'wrongHandles', 'halfClaimedBlocks', 'orphanedBlocks'];
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'clusterGUID') === 'string' &&
    lists.every((name) => Array.isArray(Reflect.get(value, name)))
  );
}
