// BIRD 2's whole configuration: one process for both families. Says what the model says, and decides nothing.
// Language: https://bird.network.cz/?get_doc&v=20&f=bird.html
import type { BgpModel, LogSeverity } from '../model/bgp-model.ts';
import { familyText } from './family-text.ts';
import { filterFunction } from './filter-functions.ts';
import { peerText, sessionTemplate } from './peer-text.ts';

/** BIRD's classes of messages, the least urgent first, and the severity from which each is reported. */
const logClasses: readonly (readonly [string, LogSeverity])[] = [
  ['debug', 'Debug'],
  ['trace', 'Trace'],
  ['info', 'Info'],
  ['remote', 'Info'],
  ['warning', 'Warning'],
  ['error', 'Error'],
  ['auth', 'Error'],
  ['fatal', 'Fatal'],
  ['bug', 'Fatal'],
];
const severities: readonly LogSeverity[] = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'];

/** Interfaces whose networks BIRD need not know: pods' own, and those of service addresses. */
const alwaysIgnored = ['cali*', 'kube-ipvs*', 'nodelocaldns'];

/** How long a BIRD that comes back waits for its peers before it sets the kernel's routes right without them. */
const recoverySeconds = 60;
const logBytes = 4 * 1024 * 1024;

/** `logFile` is BIRD's own log: where it is started by hand, it would lose its standard error with whoever started it. */
export function configurationText(model: BgpModel, { logFile }: { readonly logFile: string }): string {
  const ignored = [...alwaysIgnored, ...model.ignoredInterfaces].map((pattern) => `-"${pattern}"`);
  const isReported = (severity: LogSeverity) =>
    severities.indexOf(severity) >= severities.indexOf(model.logSeverity);
  const classes = logClasses.filter(([, severity]) => isReported(severity)).map(([name]) => name);
  return `${[
    '# Written by calico-node, which overwrites whatever is changed here.',
    `log "${logFile}" ${logBytes} "${logFile}.1" { ${classes.join(', ')} };`,
    `router id ${model.routerId};`,
    `graceful restart wait ${recoverySeconds};`,
    'timeformat protocol iso long;',
    'timeformat base iso long;',
    'protocol device { scan time 2; }',
    'protocol direct calico_direct {',
    ...model.families.map(({ family }) => `  ipv${family};`),
    `  interface ${[...ignored, '"*"'].join(', ')};`,
    '}',
    ...model.families.flatMap(familyText),
    ...model.families.flatMap(({ family, priority }) =>
      model.filters.flatMap((filter) => [
        ...filterFunction(filter, 'import', family, priority),
        ...filterFunction(filter, 'export', family, priority),
      ]),
    ),
    ...sessionTemplate,
    ...model.peers.flatMap(peerText),
  ].join('\n')}\n`;
}
