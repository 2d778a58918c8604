// What tables show of the BGP kinds.
import { column } from './column.ts';

const ruleCount = (heading: string, field: string) => ({
  heading,
  value: (object: object) => {
    const rules = (Reflect.get(object, 'spec') as Record<string, unknown> | undefined)?.[field];
    return String(Array.isArray(rules) ? rules.length : 0);
  },
});

const peerNode = column('NODE', '.spec.node');
const peerSelector = column('NODE', '.spec.nodeSelector', '(global)');

export const bgpColumns = {
  configuration: {
    columns: [
      column('LOGSEVERITY', '.spec.logSeverityScreen'),
      column('MESHENABLED', '.spec.nodeToNodeMeshEnabled'),
      column('ASNUMBER', '.spec.asNumber', '-'),
    ],
    ordinary: ['LOGSEVERITY', 'MESHENABLED', 'ASNUMBER'],
  },
  filter: {
    columns: [
      ruleCount('EXPORTV4', 'exportV4'),
      ruleCount('IMPORTV4', 'importV4'),
      ruleCount('EXPORTV6', 'exportV6'),
      ruleCount('IMPORTV6', 'importV6'),
    ],
    ordinary: ['EXPORTV4', 'IMPORTV4', 'EXPORTV6', 'IMPORTV6'],
  },
  peer: {
    columns: [
      column('PEERIP', '.spec.peerIP'),
      {
        heading: 'NODE',
        value: (object: Parameters<typeof peerNode.value>[0]) =>
          peerNode.value(object) || peerSelector.value(object),
      },
      column('ASN', '.spec.asNumber'),
      column('PEERSELECTOR', '.spec.peerSelector'),
      column('FILTERS', '.spec.filters'),
    ],
    ordinary: ['PEERIP', 'NODE', 'ASN'],
  },
} as const;
