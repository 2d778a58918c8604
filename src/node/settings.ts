// The parameters of FelixConfiguration that calico-node reads, each from the first place that has it: environment,
// the node's own object, the cluster's object, the default.
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import { type FelixConfiguration, felixConfigurations } from '../resources/index.ts';
import { durationMs } from './duration.ts';

export interface FelixSettings {
  readonly defaultEndpointToHostAction: 'Drop' | 'Accept' | 'Return';
  readonly vxlanVNI: number;
  readonly vxlanPort: number;
  /** Bytes; 0 when it is to be derived from the underlay's. */
  readonly vxlanMTU: number;
  /** Milliseconds between two looks at what the kernel holds; 0 for never. */
  readonly nftablesRefreshInterval: number;
  readonly routeRefreshInterval: number;
  readonly interfaceRefreshInterval: number;
  readonly prometheusMetricsEnabled: boolean;
  readonly prometheusMetricsHost: string;
  readonly prometheusMetricsPort: number;
}

/** @throws RangeError that names the parameter, where it was set, and what would be right */
export async function readSettings(
  datastore: Datastore,
  node: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<FelixSettings> {
  const variables = new Map(
    Object.entries(environment).flatMap(([name, value]) =>
      name.toUpperCase().startsWith('FELIX_') && value ? [[name.slice(6).toUpperCase(), value] as const] : [],
    ),
  );
  const specs = await Promise.all([`node.${node}`, 'default'].map((name) => specOf(datastore, name)));
  const pick = (name: keyof FelixSettings): string | number | boolean | undefined =>
    variables.get(name.toUpperCase()) ??
    specs.map((spec) => spec?.[name]).find((value) => value !== undefined);
  const number = (name: keyof FelixSettings, otherwise: number, most: number) => {
    const value = Number(pick(name) ?? otherwise);
    if (Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new RangeError(`${name} is "${pick(name)}"; it must be a number from 0 to ${most}`);
  };
  const interval = (name: keyof FelixSettings, otherwise: string) =>
    durationMs(name, String(pick(name) ?? otherwise));
  return {
    defaultEndpointToHostAction: readAction(String(pick('defaultEndpointToHostAction') ?? 'Drop')),
    vxlanVNI: number('vxlanVNI', 4096, 2 ** 24 - 1),
    vxlanPort: number('vxlanPort', 4789, 65535),
    vxlanMTU: number('vxlanMTU', 0, 65535),
    nftablesRefreshInterval: interval('nftablesRefreshInterval', '180s'),
    routeRefreshInterval: interval('routeRefreshInterval', '90s'),
    interfaceRefreshInterval: interval('interfaceRefreshInterval', '90s'),
    prometheusMetricsEnabled: String(pick('prometheusMetricsEnabled') ?? 'false').toLowerCase() === 'true',
    prometheusMetricsHost: String(pick('prometheusMetricsHost') ?? ''),
    prometheusMetricsPort: number('prometheusMetricsPort', 9091, 65535),
  };
}

function readAction(value: string): FelixSettings['defaultEndpointToHostAction'] {
  const action = (['Drop', 'Accept', 'Return'] as const).find(
    (known) => known.toLowerCase() === value.toLowerCase(),
  );
  if (action) return action;
  throw new RangeError(`defaultEndpointToHostAction is "${value}"; it must be "Drop", "Accept" or "Return"`);
}

async function specOf(datastore: Datastore, name: string): Promise<FelixConfiguration['spec'] | undefined> {
  try {
    return (await datastore.get(felixConfigurations, { name })).spec;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
