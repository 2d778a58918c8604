// A packet's path beside policy: translation, loops, packets in packets. Chains and rules that stand in every table.
import type { Chain, NftSet, Rule } from '../../../kernel/index.ts';
import type { Marks } from '../marks.ts';
import { goTo, verdict } from '../matches.ts';
import { chains } from '../names.ts';
import { letGoOn } from '../overtaken.ts';
import { encapsulationChains, encapsulationRules } from './encapsulation.ts';
import { endpointPathChains, endpointPathRules, endpointPathSets } from './endpoint-path.ts';
import { natOutgoingChain, natOutgoingRules } from './nat-outgoing.ts';
import { neighbourDiscoveryChain, neighbourDiscoveryRules } from './neighbour-discovery.ts';
import { networkSets } from './network-sets.ts';
import type { PathOptions } from './options.ts';
import { isOfProtocol } from './packet.ts';
import { serviceLoopChain, serviceLoopRules } from './service-loop.ts';

export { EndpointPathProgram, otherSources } from './endpoint-path.ts';
export { NetworkSetsProgram, networkSetName } from './network-sets.ts';
export { defaultPath, type PathOptions } from './options.ts';
export {
  addressRegister,
  hasDestinationPort,
  isEndIn,
  isEndInNet,
  isOfFamily,
  isOfProtocol,
  isPod,
} from './packet.ts';

export const pathSets: readonly NftSet[] = [...networkSets, ...endpointPathSets];

/** What base chains hang below the same hooks whatever the options: a table's layout does not change with them. */
export const pathChains: readonly Chain[] = [
  { name: chains.reject },
  { name: chains.deny },
  { name: chains.denySilently },
  natOutgoingChain,
  serviceLoopChain,
  ...encapsulationChains,
  neighbourDiscoveryChain,
  ...endpointPathChains,
];

export function pathRules(options: PathOptions, marks: Marks): Rule[] {
  return [
    { chain: chains.reject, expressions: [...isOfProtocol(6), { kind: 'reject', by: 'tcp reset' }] },
    { chain: chains.reject, expressions: [{ kind: 'reject', by: 'port unreachable' }] },
    { chain: chains.reject, expressions: [verdict('drop')] },
    { chain: chains.deny, expressions: letGoOn(marks) },
    {
      chain: chains.deny,
      expressions: [options.denyAction === 'Reject' ? goTo(chains.reject) : verdict('drop')],
    },
    { chain: chains.denySilently, expressions: letGoOn(marks) },
    { chain: chains.denySilently, expressions: [verdict('drop')] },
    ...natOutgoingRules(options),
    ...serviceLoopRules(options),
    ...encapsulationRules(options),
    ...neighbourDiscoveryRules,
    ...endpointPathRules,
  ];
}
