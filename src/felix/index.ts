// The door of the felix room: the policy agent.
export { type Dataplane, Felix, type FelixOptions } from './felix.ts';
export { Upkeep, type UpkeepOptions, type Upkept } from './upkeep.ts';
