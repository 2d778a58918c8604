// Compares a pod's link in the kernel, both ends of it, with what it should be. Looks only; mends nothing.
import { closeNamespace, type Link, openNamespace, Rtnetlink } from '../../kernel/index.ts';
import { bitsOf, parseAddress } from '../../net/index.ts';
import { everything, hostMac, nextHops, wholeNet } from './next-hop.ts';
import type { PodEndRequest } from './pod-end.ts';

export interface LinkFacts extends Omit<PodEndRequest, 'allowIpForwarding'> {
  /** Host's end. */
  readonly interfaceName: string;
  readonly podNamespacePath: string;
  readonly owner: string;
  /** In bytes, what each end was given; where one is undefined, both ends must only be the same. */
  readonly mtu: { readonly host: number | undefined; readonly pod: number | undefined };
}

/** `host` belongs to the node's namespace. Empty when all is well. */
export function linkFaults(host: Rtnetlink, facts: LinkFacts): string[] {
  const namespace = openNamespace(facts.podNamespacePath);
  try {
    using pod = Rtnetlink.open({ namespace });
    const link = pod.link(facts.podInterfaceName);
    return [
      ...hostFaults(host, facts, link?.mac),
      ...(link ? podFaults(pod, link.index, facts) : [`The pod has no link "${facts.podInterfaceName}"`]),
      ...mtuFaults(host.link(facts.interfaceName), link, facts),
    ];
  } finally {
    closeNamespace(namespace);
  }
}

function hostFaults(host: Rtnetlink, facts: LinkFacts, podMac: string | undefined): string[] {
  const { interfaceName, owner, addresses } = facts;
  const link = host.link(interfaceName);
  if (!link) return [`The host has no link "${interfaceName}"`];
  const faults: string[] = [];
  if (link.alias !== owner)
    faults.push(`The link "${interfaceName}" is "${link.alias ?? ''}", not "${owner}"`);
  if (!link.up) faults.push(`The link "${interfaceName}" is down`);
  const routes = host.routes().filter((route) => route.link === link.index);
  const neighbours = host.neighbours().filter((neighbour) => neighbour.link === link.index);
  for (const address of addresses) {
    if (!routes.some(({ destination }) => destination === wholeNet(address))) {
      faults.push(`The host does not route ${address} to "${interfaceName}"`);
    }
    if (!neighbours.some((neighbour) => neighbour.address === address && neighbour.mac === podMac)) {
      faults.push(`The host does not know who has ${address} on "${interfaceName}"`);
    }
  }
  return faults;
}

function podFaults(pod: Rtnetlink, index: number, facts: LinkFacts): string[] {
  const { podInterfaceName: name, addresses, defaultRoutes } = facts;
  const faults: string[] = [];
  if (!pod.link(index)?.up) faults.push(`The pod's link "${name}" is down`);
  const present = pod.addresses().filter(({ link }) => link === index);
  const routes = pod.routes().filter(({ link }) => link === index);
  const neighbours = pod.neighbours().filter(({ link }) => link === index);
  for (const address of addresses) {
    const { family } = parseAddress(address);
    const via = nextHops[family];
    if (!present.some((one) => one.address === address && one.prefixLength === bitsOf(family))) {
      faults.push(`The pod's link "${name}" does not have ${wholeNet(address)}`);
    }
    // An IPv6 next hop is link-local, which every link routes by itself.
    if (family === 4 && !routes.some(({ destination }) => destination === wholeNet(via))) {
      faults.push(`The pod has no route ${wholeNet(via)}`);
    }
    if (
      defaultRoutes &&
      !routes.some((route) => route.destination === everything(family) && route.via === via)
    ) {
      faults.push(`The pod has no route ${everything(family)} via ${via}`);
    }
    if (!neighbours.some((neighbour) => neighbour.address === via && neighbour.mac === hostMac)) {
      faults.push(`The pod does not know who has ${via}`);
    }
  }
  return faults;
}

/** Of ends that are there; that one is missing is told elsewhere. */
function mtuFaults(host: Link | undefined, pod: Link | undefined, { mtu }: LinkFacts): string[] {
  const ends = [
    [host, mtu.host],
    [pod, mtu.pod],
  ] as const;
  const faults = ends.flatMap(([end, wanted]) =>
    end && wanted !== undefined && end.mtu !== wanted
      ? [`The MTU of "${end.name}" is ${end.mtu}, not ${wanted}`]
      : [],
  );
  const areTold = mtu.host !== undefined && mtu.pod !== undefined;
  if (!areTold && host && pod && host.mtu !== pod.mtu) {
    faults.push(`The MTU of "${host.name}" is ${host.mtu}, and that of "${pod.name}" in the pod ${pod.mtu}`);
  }
  return faults;
}
