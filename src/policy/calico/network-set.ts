// NetworkSet and GlobalNetworkSet: addresses from outside of the cluster, with labels by which rules select them.
import { bitsOf, formatAddress, formatCidr, tryParseNet } from '../../net/index.ts';
import type { GlobalNetworkSet, NetworkSet } from '../../resources/index.ts';
import { namespaceLabel, writtenLabels } from '../labels.ts';

export interface NetworkSetNets {
  readonly contributor: {
    /** Single addresses, canonical. */
    readonly addresses: readonly string[];
    readonly ports: readonly [];
    /** CIDRs of more than one address, canonical. */
    readonly nets: readonly string[];
  };
  readonly labels: ReadonlyMap<string, string>;
  /** One sentence per entry that is no network. */
  readonly faults: readonly string[];
}

export function networkSetNets({ metadata, spec }: NetworkSet | GlobalNetworkSet): NetworkSetNets {
  const addresses = new Set<string>();
  const nets = new Set<string>();
  const faults: string[] = [];
  for (const [index, text] of (spec.nets ?? []).entries()) {
    const net = tryParseNet(text);
    if (!net) faults.push(`spec.nets[${index}]: "${text}" is neither an address nor a CIDR`);
    else if (net.length === bitsOf(net.family))
      addresses.add(formatAddress({ family: net.family, value: net.network }));
    else nets.add(formatCidr(net));
  }
  const labels = writtenLabels(metadata.labels);
  if (metadata.namespace !== undefined) labels.set(namespaceLabel, metadata.namespace);
  return { contributor: { addresses: [...addresses], ports: [], nets: [...nets] }, labels, faults };
}
