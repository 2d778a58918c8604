// One end of a connection, as a person names it: a pod, or an address.
import { formatAddress, tryParseAddress } from '../../net/index.ts';
import type { Pod } from '../../resources/index.ts';
import { CommandError } from '../problem.ts';

export interface End {
  /** "namespace/name"; undefined for an address, whoever has it. */
  readonly pod?: string;
  /** One of each family at most. */
  readonly addresses: readonly string[];
}

/** `namespace` is that of pods that are named without one. @throws CommandError when there is no such pod, or it has no address */
export function findEnd(text: string, namespace: string, pods: readonly Pod[]): End {
  const address = tryParseAddress(text);
  if (address) return { addresses: [formatAddress(address)] };
  const [first = '', second] = text.split('/');
  const key = second === undefined ? `${namespace}/${first}` : text;
  const pod = pods.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key);
  if (!pod)
    throw new CommandError(
      `There is no pod "${key}"; an end is an address, or a pod as "name" or "namespace/name"`,
    );
  const addresses = (pod.status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
  if (addresses.length === 0) throw new CommandError(`Pod "${key}" has no address yet`);
  return { pod: key, addresses };
}
