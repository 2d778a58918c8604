// The topology as two tables: who there is and what each tells of, and the sessions between them.
import type { Speaker, Topology } from './topology.ts';

export interface Table {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const roles: Readonly<Record<Speaker['role'], string>> = {
  outside: 'router outside',
  reflector: 'route reflector',
  node: 'node',
};

export function speakerTable({ speakers }: Topology): Table {
  return {
    heads: ['NAME', 'ROLE', 'AS', 'ADDRESS', 'ADVERTISES'],
    rows: speakers.map(({ name, role, asNumber, addresses, advertises, trouble }) => [
      name,
      roles[role],
      asNumber === undefined ? '-' : String(asNumber),
      addresses.join(' '),
      trouble ?? (advertises.length > 0 ? advertises.join(' ') : '-'),
    ]),
  };
}

export function linkTable({ links }: Topology): Table {
  return {
    heads: ['BETWEEN', 'AND', 'FAMILY', 'KIND', 'STATE', 'SINCE', 'REASON'],
    rows: links.map(({ ends: [from, to], family, kind, isUp, since, reason }) => [
      from,
      to,
      `IPv${family}`,
      kind,
      isUp ? 'up' : 'down',
      `${since.slice(0, 19)}Z`,
      reason ?? '',
    ]),
  };
}
