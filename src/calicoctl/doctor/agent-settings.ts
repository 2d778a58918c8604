// How calico-node was set up: what the environment of its pods says, in plain text or by a ConfigMap.
import { ForbiddenError, type KubernetesClient, NotFoundError } from '../../datastore/index.ts';
import { configMaps, type Pod } from '../../resources/index.ts';

/** Environment variables. What cannot be known is absent: values out of a Secret, a field of the pod or what may not be read. */
export type AgentSettings = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly configMapKeyRef?: { readonly name: string; readonly key: string } };
}

type Texts = Readonly<Record<string, string>>;

/** Of every sort of calico-node among these pods: they differ while one is replaced by another. */
export async function readAgentSettings(
  client: KubernetesClient,
  pods: readonly Pod[],
): Promise<AgentSettings[]> {
  const sorts = new Map<string, { readonly namespace: string; readonly variables: readonly Variable[] }>();
  for (const { metadata, spec } of pods) {
    const container = spec?.containers?.find(({ name }) => name === 'calico-node');
    const variables = (container as { env?: Variable[] } | undefined)?.env;
    if (!variables) continue;
    const { namespace = '' } = metadata;
    sorts.set(JSON.stringify([namespace, variables]), { namespace, variables });
  }
  const maps = new Map<string, Promise<Texts>>();
  const dataOf = (namespace: string, name: string) => {
    const key = `${namespace}/${name}`;
    const reading = maps.get(key) ?? readConfigMap(client, namespace, name);
    maps.set(key, reading);
    return reading;
  };
  return Promise.all(
    [...sorts.values()].map(async ({ namespace, variables }) => {
      const entries = variables.map(async ({ name, value, valueFrom }) => {
        const from = valueFrom?.configMapKeyRef;
        return [name, from ? (await dataOf(namespace, from.name))[from.key] : value] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    }),
  );
}

/** Empty where there is none, or we may not read it. */
async function readConfigMap(client: KubernetesClient, namespace: string, name: string): Promise<Texts> {
  try {
    return (await client.get(configMaps, { namespace, name })).data ?? {};
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof ForbiddenError) return {};
    throw error;
  }
}

/** Whether pods get their addresses of Calico; where it enforces policy alone, another plugin gives them. */
export function givesAddresses(settings: AgentSettings): boolean {
  const ipam = ipamOf(settings.CNI_NETWORK_CONFIG);
  if (ipam !== undefined) return ipam === 'calico-ipam';
  return settings.NO_DEFAULT_POOLS !== 'true' && settings.CALICO_NETWORKING_BACKEND !== 'none';
}

/** Undefined where the configuration does not say. */
function ipamOf(configuration = ''): string | undefined {
  try {
    // Placeholders of numbers stand without quotes.
    const text = configuration.replace(/(?<=:\s*)__\w+__/g, '0');
    const parsed = JSON.parse(text) as CniPlugin & { readonly plugins?: readonly CniPlugin[] };
    return (parsed.plugins ?? [parsed]).find(({ type }) => type === 'calico')?.ipam?.type;
  } catch {
    // What is no configuration says nothing; that it is none is told where a node has it.
    return undefined;
  }
}

interface CniPlugin {
  readonly type?: string;
  readonly ipam?: { readonly type?: string };
}
