// What an end of a rule may say depends on where it stands: which end, which direction, which kind of policy.
import { type Rule, ruleFor } from '../../field.ts';
import { type EntityRule, isPresent, present } from './entity-rule.ts';

/** Without a namespace of its own a policy must name the service's. `namespace` is a word of CEL, hence the underscores. */
const servicesWithNamespace = ruleFor<EntityRule>(
  "!has(self.services) || has(self.services.__namespace__) && self.services.__namespace__ != ''",
  'must name the namespace of services: the policy has none of its own',
  ({ services }) => services === undefined || isPresent(services.namespace),
);

/** A service as a destination brings its ports along. */
const servicesWithoutPorts = ruleFor<EntityRule>(
  `!has(self.services) || !(${present('ports')}) && !(${present('notPorts')})`,
  'cannot combine services with ports or notPorts: a service brings its own',
  ({ services, ports, notPorts }) => services === undefined || !(isPresent(ports) || isPresent(notPorts)),
);

/** The selected pods are this end: there is nothing to look up. */
const withoutServices = ruleFor<EntityRule>(
  '!has(self.services)',
  'cannot have services: this end is what the policy selects',
  ({ services }) => services === undefined,
);

export function rulesOfSource(direction: 'ingress' | 'egress', namespaced: boolean): Rule[] {
  if (direction === 'egress') return [withoutServices];
  return namespaced ? [] : [servicesWithNamespace];
}

export function rulesOfDestination(direction: 'ingress' | 'egress', namespaced: boolean): Rule[] {
  if (direction === 'ingress') return [withoutServices];
  return namespaced ? [servicesWithoutPorts] : [servicesWithoutPorts, servicesWithNamespace];
}
