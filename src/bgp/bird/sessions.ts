// BGP sessions as BIRD shows them ("show protocols all"), under the names that we gave them.
import { type Family, familyOf } from '../../net/index.ts';
import type { PeerKind } from '../model/bgp-model.ts';
import type { BirdLine } from './control-socket.ts';

/** As RFC 4271 names them, and what BIRD calls a session that is being closed or was never started. */
export type SessionState =
  | 'Idle'
  | 'Connect'
  | 'Active'
  | 'OpenSent'
  | 'OpenConfirm'
  | 'Established'
  | 'Close';

export interface Session {
  readonly name: string;
  readonly kind: PeerKind;
  readonly family: Family;
  readonly peer: string;
  readonly asNumber: number;
  /** Ours, towards this peer. */
  readonly localAsNumber: number;
  readonly state: SessionState;
  /** When it came into this state. */
  readonly since: Date;
  /** The last thing that went wrong, in BIRD's words: "Socket: Connection refused". Absent when nothing did. */
  readonly reason?: string;
}

const states: readonly SessionState[] = [
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
  'Close',
];
const kinds: readonly PeerKind[] = ['Mesh', 'Node', 'Global', 'Local_Workload'];

/** Sorted by name. What is not ours is passed over. */
export function sessionsIn(lines: readonly BirdLine[]): Session[] {
  const sessions: Session[] = [];
  let head: { name: string; since: Date; info: string } | undefined;
  let details = new Map<string, string>();
  const finish = () => {
    const session = head && sessionOf(head, details);
    if (session) sessions.push(session);
  };
  for (const { code, text } of lines) {
    if (code === 1002) {
      finish();
      details = new Map();
      const [, name, since, info] = /^(\S+)\s+BGP\s+\S+\s+\S+\s+(\S+ \S+)\s*(.*)$/.exec(text) ?? [];
      head = name && since ? { name, since: new Date(since.replace(' ', 'T')), info: info ?? '' } : undefined;
    } else if (code === 1006) {
      const [, key, value] = /^\s*([A-Za-z ]+?):\s+(.*)$/.exec(text) ?? [];
      if (key && value !== undefined && !details.has(key)) details.set(key, value.trim());
    }
  }
  finish();
  return sessions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sessionOf(
  { name, since, info }: { name: string; since: Date; info: string },
  details: ReadonlyMap<string, string>,
): Session | undefined {
  const kind = kinds.find((known) => name.startsWith(`${known}_`));
  const peer = details.get('Neighbor address');
  if (!kind || !peer) return undefined;
  const word = details.get('BGP state');
  const reason = details.get('Last error') ?? (info.slice(info.indexOf(' ')).trim() || undefined);
  return {
    name,
    kind,
    peer,
    family: familyOf(peer),
    asNumber: Number(details.get('Neighbor AS') ?? 0),
    localAsNumber: Number(details.get('Local AS') ?? 0),
    state: states.find((state) => state === word) ?? (word === 'Down' ? 'Idle' : 'Close'),
    since,
    ...(reason && word !== 'Established' && info.includes(' ') && { reason }),
  };
}
