// All that a state has, as changes: what a program is told that begins with an empty table.
import type { Changes, DesiredState, NetworkFact } from '../../src/calc/index.ts';

export function everythingIn(state: DesiredState): Changes {
  return {
    sets: new Map(
      [...state.sets].map(([id, { members, nets }]) => [
        id,
        { added: [...members.keys()], removed: [], netsChanged: nets.size > 0 },
      ]),
    ),
    policies: new Set(state.policies.keys()),
    endpoints: new Set(state.endpoints.keys()),
    hostEndpoints: new Set(state.hostEndpoints.keys()),
    tunnelEndpoints: new Set(state.tunnelEndpoints.keys()),
    routes: new Set(state.routes.keys()),
    network: new Set(Object.keys(state.network) as NetworkFact[]),
  };
}
