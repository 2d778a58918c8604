// The configuration part of the felix room: parameters with upstream's names, defaults and precedence.
export { FollowedSettings, type FollowedSettingsOptions } from './followed-settings.ts';
export type { HostPort, Rate } from './kinds.ts';
export { parameterPage, parameterPagePath } from './parameter-table.ts';
export { anyParameters, type FelixSettings, type ParameterName } from './parameters/index.ts';
