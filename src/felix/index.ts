// The door of the felix room: the policy agent.
export {
  anyParameters,
  type FelixSettings,
  FollowedSettings,
  type HostPort,
  type ParameterName,
  parameterPage,
  parameterPagePath,
} from './configuration/index.ts';
export { type Dataplane, Felix, type FelixOptions } from './felix.ts';
export { Upkeep, type UpkeepOptions, type Upkept } from './upkeep.ts';
