// The two ends of a rule's traffic, `source` and `destination`: who they are, by every means that a rule has.
import type { Static } from 'typebox';
import { arrayOf, object, optional, type Rule, ruleFor, string } from '../../field.ts';
import { isIPv6, ruleNetworks } from '../net-fields.ts';
import { selector, selectorFault, unboundedSelector } from '../selector-field.ts';
import { portList } from './port-list.ts';

const serviceAccounts = object(
  {
    names: optional(
      arrayOf(string(), {
        'x-kubernetes-list-type': 'set',
        description: 'Names of service accounts; any when empty.',
      }),
    ),
    selector: optional(unboundedSelector({ description: 'Selects service accounts by their labels.' })),
  },
  { description: 'Only pods that run as one of these service accounts.' },
);

const services = object(
  {
    name: optional(string({ maxLength: 253, description: 'Name of the service.' })),
    namespace: optional(
      string({
        maxLength: 253,
        description: "Namespace of the service; the policy's own when absent.",
      }),
    ),
  },
  {
    description: 'Only the endpoints of this Kubernetes service.',
    'x-kubernetes-validations': [
      ruleFor<{ name?: string }>(
        "has(self.name) && self.name != ''",
        'needs the name of a service',
        ({ name }) => Boolean(name),
      ),
    ],
  },
);

/** Where global() has its place, alone: what belongs to no namespace. */
const globalAlone = ruleFor<string>(
  "!self.contains('global(') || self == 'global()'",
  'must not combine global() with anything else',
  (text) => !text.includes('global(') || text === 'global()',
);

const fields = {
  nets: optional(ruleNetworks({ description: 'Only addresses in one of these networks.' })),
  notNets: optional(
    ruleNetworks({
      except: true,
      description: 'Only addresses in none of these networks, and of the same version of IP.',
    }),
  ),
  selector: optional(
    selector({
      description:
        'Only endpoints and network sets that it selects, of the same namespace where the policy has one.',
    }),
  ),
  notSelector: optional(
    selector({
      description:
        'Only what it does not select: of the same namespace where the policy has one, else addresses from outside included.',
    }),
  ),
  namespaceSelector: optional(
    selector({
      'x-kubernetes-validations': [globalAlone],
      check: selectorFault,
      description:
        'Selects namespaces, in which `selector` then selects; "global()" stands for what has no namespace.',
    }),
  ),
  ports: optional(
    portList({
      description:
        'Only these ports: numbers, ranges "8080:8090", or names, of TCP where the rule has no protocol.',
    }),
  ),
  notPorts: optional(portList({ description: 'Any but these ports.' })),
  serviceAccounts: optional(serviceAccounts),
  services: optional(services),
} as const;

type EntityFields = Partial<Record<string, unknown>> & {
  nets?: string[];
  notNets?: string[];
};

const selecting = ['selector', 'notSelector', 'namespaceSelector', 'nets', 'notNets'];

const entityRules: Rule[] = [
  ruleFor<EntityFields>(
    `!has(self.services) || !has(self.serviceAccounts) && !(${selecting.map(present).join(' || ')})`,
    `cannot combine services with ${selecting.join(', ')} or serviceAccounts`,
    (entity) =>
      entity.services === undefined ||
      (entity.serviceAccounts === undefined && !selecting.some((name) => isPresent(entity[name]))),
  ),
  ruleFor<EntityFields>(
    `!(${present('nets')}) || !(${present('notNets')}) || ` +
      "self.nets[0].contains(':') == self.notNets[0].contains(':')",
    'cannot mix IPv4 and IPv6 in nets and notNets',
    ({ nets: [net] = [], notNets: [notNet] = [] }) =>
      net === undefined || notNet === undefined || isIPv6(net) === isIPv6(notNet),
  ),
];

/** A CEL expression: the field is there and not empty. */
export function present(field: string): string {
  return `has(self.${field}) && size(self.${field}) > 0`;
}

/** The same here: an empty text or list says as much as an absent one. */
export function isPresent(value: unknown): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return value !== undefined;
}

/** One end of a rule. `extra` are rules that depend on which end it is, and of which kind of policy. */
export function entityRule(description: string, extra: readonly Rule[]) {
  return object(fields, { description, 'x-kubernetes-validations': [...entityRules, ...extra] });
}

export type EntityRule = Static<ReturnType<typeof entityRule>>;
