// Service loops: a packet to an address out of the services' ranges that no service has would go to and fro between the node
// and the router that sent it here. What is still to such an address when it is forwarded was translated by nobody.
import type { Chain, Rule } from '../../../kernel/index.ts';
import { counter, goTo, verdict } from '../matches.ts';
import { chains } from '../names.ts';
import { networkSetName } from './network-sets.ts';
import type { PathOptions } from './options.ts';
import { isEndIn, isOfFamily } from './packet.ts';

export const serviceLoopChain: Chain = { name: chains.serviceLoop };

export function serviceLoopRules({ serviceLoopPrevention }: PathOptions): Rule[] {
  if (serviceLoopPrevention === 'Disabled') return [];
  const end = serviceLoopPrevention === 'Reject' ? goTo(chains.reject) : verdict('drop');
  return ([4, 6] as const).map((family) => ({
    chain: chains.serviceLoop,
    expressions: [
      ...isOfFamily(family),
      ...isEndIn(family, 'destination', networkSetName('services', family)),
      counter,
      end,
    ],
    comment: 'no service has this address',
  }));
}
