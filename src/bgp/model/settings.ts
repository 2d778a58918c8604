// What BGPConfiguration says of a node: the node's own object over the cluster's, field by field.
import { tryParseAddress } from '../../net/index.ts';
import type { BGPConfiguration } from '../../resources/index.ts';
import { parseAsNumber } from './as-number.ts';
import { secondsOf } from './seconds.ts';

export type BgpSettings = BGPConfiguration['spec'];

export const defaultAsNumber = 64512;
export const defaultPort = 179;
export const defaultPriority = 1024;
export const defaultRestartSeconds = 120;
export const greatestPriority = 2147483646;

export class SettingsOf {
  readonly #specs: ReadonlyMap<string, BgpSettings>;

  constructor(configurations: Iterable<BGPConfiguration>) {
    this.#specs = new Map([...configurations].map(({ metadata, spec }) => [metadata.name, spec]));
  }

  node(name: string): BgpSettings {
    return { ...this.#specs.get('default'), ...this.#specs.get(`node.${name}`) };
  }
}

/** Whether it is a whole number within the bounds. */
export function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** Per field, whether a value makes sense and what would. Ranges, communities and interfaces are judged one by one elsewhere. */
const judged: Readonly<Partial<Record<keyof BgpSettings, readonly [(value: unknown) => boolean, string]>>> = {
  asNumber: [
    (value) => parseAsNumber(value as number | string) !== undefined,
    'an AS number, from 1 to 4294967295',
  ],
  listenPort: [(value) => isWithin(value, 1, 65535), 'a port, from 1 to 65535'],
  ipv4NormalRoutePriority: [(value) => isWithin(value, 1, greatestPriority), `from 1 to ${greatestPriority}`],
  ipv6NormalRoutePriority: [(value) => isWithin(value, 1, greatestPriority), `from 1 to ${greatestPriority}`],
  nodeMeshMaxRestartTime: [(value) => secondsOf(String(value)) !== undefined, 'a duration such as "90s"'],
  localWorkloadPeeringIPV4: [(value) => tryParseAddress(String(value))?.family === 4, 'an IPv4 address'],
  localWorkloadPeeringIPV6: [(value) => tryParseAddress(String(value))?.family === 6, 'an IPv6 address'],
};

/** The settings without the values that make no sense; each of these is reported, and the default stands in for it. */
export function soundSettings(settings: BgpSettings, complain: (sentence: string) => void): BgpSettings {
  const sound: Record<string, unknown> = { ...settings };
  for (const [field, [isSound, wanted]] of Object.entries(judged)) {
    if (sound[field] === undefined || isSound(sound[field])) continue;
    complain(`spec.${field}: "${sound[field]}" is not ${wanted}; the default stands in for it`);
    delete sound[field];
  }
  if (settings.asNumber !== undefined) sound.asNumber = parseAsNumber(settings.asNumber);
  return sound;
}
