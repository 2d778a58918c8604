// Mistakes that a compiler can make about host endpoints: whose an interface is, and which policies are asked about it where.
import type { Mutation } from './mutated-import.ts';

export const hostMutations: readonly Mutation[] = [
  // Reading them.
  {
    says: 'only the first expected address of a host endpoint counts',
    file: 'policy/calico/host-endpoint.ts',
    find: 'addresses: [...new Set(addresses)],',
    replace: 'addresses: addresses.slice(0, 1),',
  },
  {
    says: 'named ports of host endpoints are forgotten',
    file: 'policy/calico/host-endpoint.ts',
    find: 'labels: writtenLabels(metadata.labels),\n    ports,',
    replace: 'labels: writtenLabels(metadata.labels),\n    ports: [],',
  },
  // Whose an interface is.
  {
    says: "the name of an interface does not make it a host endpoint's",
    file: 'calc/host-endpoints.ts',
    find: 'for (const endpoint of own) if (endpoint.interfaceName) claim(endpoint.interfaceName, endpoint);',
    replace: "for (const endpoint of own) if (endpoint.interfaceName === '*') claim('*', endpoint);",
  },
  {
    says: "expected addresses do not make an interface a host endpoint's",
    file: 'calc/host-endpoints.ts',
    find: 'if (endpoint.addresses.some((address) => addresses.includes(address))) claim',
    replace: 'if (endpoint.addresses.every(() => false) && addresses.length < 0) claim',
  },
  {
    says: 'host endpoints of other nodes have interfaces here',
    file: 'calc/host-endpoints.ts',
    find: '.filter(({ node, interfaceName }) => node === this.#node && ',
    replace: '.filter(({ interfaceName }) => ',
  },
  {
    says: 'of two host endpoints the last by name has an interface',
    file: 'calc/host-endpoints.ts',
    find: '.sort((a, b) => (a.name < b.name ? -1 : 1));',
    replace: '.sort((a, b) => (a.name < b.name ? 1 : -1));',
  },
  {
    says: 'host endpoints inherit no labels of the namespaces of their profiles',
    file: 'calc/host-endpoints.ts',
    find: 'new LabelSet([endpoint.labels, ...inherited])',
    replace: 'new LabelSet([endpoint.labels])',
  },
  {
    says: 'host endpoints inherit no labels of the service accounts of their profiles',
    file: 'calc/host-endpoints.ts',
    find: 'this.#namespaceOf(profile) ?? this.#accountOf(profile) ?? []',
    replace: 'this.#namespaceOf(profile) ?? []',
  },
  {
    says: 'the last dot in the name of a profile stands before the name of the service account',
    file: 'calc/host-endpoints.ts',
    find: ".replace('.', '/')",
    replace: ".replace(/\\.(?=[^.]*$)/, '/')",
  },
  // What is asked of it.
  {
    says: 'policies before connection tracking are asked of the endpoint of all interfaces',
    file: 'calc/host-endpoints.ts',
    find: "untracked: isAll ? none : tiers('untracked'),",
    replace: "untracked: tiers('untracked'),",
  },
  {
    says: 'profiles of host endpoints allow nothing',
    file: 'calc/host-endpoints.ts',
    find: "afterTiers: isAllowed ? 'Allow' : 'Deny',",
    replace: "afterTiers: 'Deny',",
  },
  {
    says: 'every profile of a host endpoint allows',
    file: 'calc/host-endpoints.ts',
    find: "afterTiers: isAllowed ? 'Allow' : 'Deny',",
    replace: "afterTiers: profiles.length > 0 ? 'Allow' : 'Deny',",
  },
  {
    says: 'what is forwarded is judged by what the node itself is',
    file: 'calc/host-endpoints.ts',
    find: "forward: tiers('forward'),",
    replace: "forward: tiers('normal'),",
  },
  {
    says: 'what the node itself receives is judged by policies on what is forwarded alone',
    file: 'calc/host-endpoints.ts',
    find: "normal: tiers('normal'),",
    replace: "normal: tiers('forward'),",
  },
  {
    says: 'policies before translation are never asked',
    file: 'calc/host-endpoints.ts',
    find: "preDNAT: tiers('preDNAT').ingress,",
    replace: 'preDNAT: [],',
  },
  {
    says: 'applyOnForward is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: "...('applyOnForward' in spec && spec.applyOnForward && { forward: true }),",
    replace: '',
  },
  {
    says: 'preDNAT is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: "return preDNAT ? 'preDNAT' : undefined;",
    replace: 'return undefined;',
  },
  {
    says: 'doNotTrack is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: "if (doNotTrack) return 'untracked';",
    replace: '',
  },
  {
    says: 'policies without applyOnForward judge what is forwarded',
    file: 'calc/policies.ts',
    find: 'return stage === undefined && forward === true;',
    replace: 'return stage === undefined;',
  },
  {
    says: 'policies of all stages are asked in the normal place',
    file: 'calc/policies.ts',
    find: "if (place === 'normal') return stage === undefined;",
    replace: "if (place === 'normal') return true;",
  },
  {
    says: 'a tier has an end before translation and connection tracking',
    file: 'calc/policies.ts',
    find: "defaultAction: place === 'untracked' || place === 'preDNAT' ? 'Pass' : tier.defaultAction,",
    replace: 'defaultAction: tier.defaultAction,',
  },
];
