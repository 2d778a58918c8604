// What `calicoctl node status` says of BGP: the sessions of each family as upstream prints them, and what upstream leaves
// out: why a session is not up, and which objects are closed or left out.
import { type BgpPaths, type BgpReport, birdStatus, readBgpReport, type Session } from '../../bgp/index.ts';
import { formatBoxTable } from '../ipam/box-table.ts';

const kinds: Readonly<Record<Session['kind'], string>> = {
  Mesh: 'node-to-node mesh',
  Node: 'node specific',
  Global: 'global',
  Local_Workload: 'local workload',
};

export interface BgpStatus {
  readonly isRunning: boolean;
  /** Why it is not running, or runs another configuration than it should; absent when all is well. */
  readonly trouble?: string;
  readonly bird?: BirdDaemon;
  /** Empty while BIRD does not answer. */
  readonly sessions: readonly Session[];
  /** Objects that are closed or left out, in whole or in part. */
  readonly faults: BgpReport['faults'];
}

type BirdDaemon = Awaited<ReturnType<typeof birdStatus>>['daemon'];

export async function bgpStatus({ socket, report: reportPath }: BgpPaths): Promise<BgpStatus> {
  const report = readBgpReport(reportPath);
  const { faults = [], trouble } = report ?? {};
  try {
    const { daemon, sessions } = await birdStatus(socket);
    return { isRunning: true, ...(trouble !== undefined && { trouble }), bird: daemon, sessions, faults };
  } catch (error) {
    return { isRunning: false, trouble: trouble ?? whyNobodyAnswers(error, socket), sessions: [], faults };
  }
}

export function bgpStatusText({ isRunning, trouble, bird, sessions, faults }: BgpStatus): string {
  if (!isRunning) return `\nBGP is not running: ${trouble}\n${faultsText(faults)}`;
  const stuck = trouble === undefined ? '' : `\n${trouble}\n`;
  const recovering = bird?.isRecovering ? '\nBIRD is restarting gracefully and waits for its peers.\n' : '';
  return `${stuck}${recovering}${sessionTables(sessions)}${faultsText(faults)}`;
}

function whyNobodyAnswers(error: unknown, socket: string): string {
  if (!(error instanceof Error)) return String(error);
  const isSilent = 'code' in error && ['ENOENT', 'ECONNREFUSED'].includes(String(error.code));
  return isSilent ? `no BIRD listens at "${socket}" on this machine` : error.message;
}

function sessionTables(sessions: readonly Session[]): string {
  return ([4, 6] as const)
    .map((family) => {
      const rows = sessions.filter((session) => session.family === family).map(rowOf);
      const title = `\nIPv${family} BGP status\n`;
      if (rows.length === 0) return `${title}No IPv${family} peers found.\n`;
      return title + formatBoxTable(['PEER ADDRESS', 'PEER TYPE', 'STATE', 'SINCE', 'INFO'], rows);
    })
    .join('');
}

function rowOf({ peer, kind, state, since, reason }: Session): string[] {
  const isUp = state === 'Established';
  return [peer, kinds[kind], isUp ? 'up' : 'start', sinceText(since), reason ? `${state}: ${reason}` : state];
}

/** The time today, the date before that. */
function sinceText(since: Date): string {
  const local = new Date(since.getTime() - since.getTimezoneOffset() * 60_000).toISOString();
  const isToday = since.toDateString() === new Date().toDateString();
  return isToday ? local.slice(11, 19) : local.slice(0, 10);
}

function faultsText(faults: BgpStatus['faults']): string {
  const lines = faults.map(({ object, sentence }) => `${object}: ${sentence}\n`);
  return lines.length === 0 ? '' : `\nWhat cannot be used as it stands\n${lines.join('')}`;
}
