// What BGP needs to know of a node. Calico keeps it in annotations of the Kubernetes Node.
import { type Address, type Family, formatAddress, tryParseAddress } from '../../net/index.ts';
import { type Node, nodeAnnotations } from '../../resources/index.ts';
import { parseAsNumber } from './as-number.ts';
import type { Fault } from './bgp-model.ts';
import { defaultAsNumber, defaultPort, type SettingsOf, soundSettings } from './settings.ts';

export interface NodeFacts {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly addresses: ReadonlyMap<Family, Address>;
  readonly asNumber: number;
  readonly listenPort: number;
  /** Present on route reflectors; its id is absent when the annotation says nothing usable. */
  readonly reflector?: { readonly clusterId?: string };
}

/** A value of an annotation that makes no sense is reported, and the cluster's own stands in for it. */
export function factsOf(node: Node, settingsOf: SettingsOf, report: (fault: Fault) => void): NodeFacts {
  const { name, labels, annotations = {} } = node.metadata;
  // What makes no sense is reported by the node that it is about, once.
  const settings = soundSettings(settingsOf.node(name), () => {});
  const complain = (sentence: string) => report({ object: `Node "${name}"`, sentence });
  const addresses = new Map<Family, Address>();
  for (const [family, annotation] of [
    [4, nodeAnnotations.ipv4Address],
    [6, nodeAnnotations.ipv6Address],
  ] as const) {
    const text = annotations[annotation]?.split('/')[0];
    const address = text ? tryParseAddress(text) : undefined;
    if (address?.family === family) addresses.set(family, address);
    else if (text)
      complain(`its annotation ${annotation} is "${text}", which is not an IPv${family} address`);
  }
  const asText = annotations[nodeAnnotations.asNumber];
  const ownAs = asText ? parseAsNumber(asText) : undefined;
  const clusterAs = settings.asNumber ?? defaultAsNumber;
  if (asText && ownAs === undefined) {
    complain(
      `its annotation ${nodeAnnotations.asNumber} is "${asText}", which is no AS number; it is in ${clusterAs}`,
    );
  }
  const clusterId = annotations[nodeAnnotations.routeReflectorClusterId];
  const parsedId = clusterId ? tryParseAddress(clusterId) : undefined;
  const isId = parsedId?.family === 4 && parsedId.value !== 0n;
  if (clusterId && !isId) {
    complain(
      `its annotation ${nodeAnnotations.routeReflectorClusterId} is "${clusterId}", which is no cluster id such as "244.0.0.1"; it reflects under its own router id`,
    );
  }
  return {
    name,
    labels: new Map(Object.entries(labels ?? {})),
    addresses,
    asNumber: ownAs ?? clusterAs,
    listenPort: settings.listenPort ?? defaultPort,
    ...(clusterId && { reflector: isId ? { clusterId: formatAddress(parsedId) } : {} }),
  };
}

const told = [
  nodeAnnotations.ipv4Address,
  nodeAnnotations.ipv6Address,
  nodeAnnotations.asNumber,
  nodeAnnotations.routeReflectorClusterId,
];

/** Whether two states of a node are the same to `factsOf`. */
export function isSameNode({ metadata: a }: Node, { metadata: b }: Node): boolean {
  if (told.some((name) => a.annotations?.[name] !== b.annotations?.[name])) return false;
  const [before, after] = [a.labels ?? {}, b.labels ?? {}];
  const names = Object.keys(before);
  return names.length === Object.keys(after).length && names.every((name) => before[name] === after[name]);
}
