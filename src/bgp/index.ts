// The door of the bgp room: from the cluster's objects to BIRD's configuration, and BIRD itself.
export { adoptRoutes } from './adopt-routes.ts';
export { BgpAgent } from './agent.ts';
export { birdAdvertised, birdRoutes, birdStatus, unreadyReasons } from './bird/ask-bird.ts';
export type { LearnedRoute } from './bird/routes.ts';
export type { Session } from './bird/sessions.ts';
export { parseAsNumber } from './model/as-number.ts';
export type { BgpInput } from './model/bgp-input.ts';
export type { FilterMatch, FilterOperation, Peer } from './model/bgp-model.ts';
export { modelOf } from './model/model.ts';
export { secondsOf } from './model/seconds.ts';
export { NodeStatusReporter } from './node-status.ts';
export { type BgpPaths, bgpPaths } from './paths.ts';
export { keepPeeringAddresses } from './peering-addresses.ts';
export { type BgpReport, readBgpReport } from './report.ts';
export { configurationText } from './text/configuration.ts';
