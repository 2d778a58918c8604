// Templates of host endpoints that calico-kube-controllers makes for nodes.
import { tryParseCidr } from '../../net/index.ts';
import { arrayOf, mapOf, object, optional, string } from '../field.ts';
import { unboundedSelector } from './selector-field.ts';

function cidrFault(text: unknown): string | undefined {
  return tryParseCidr(String(text)) ? undefined : 'must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"';
}

function patternFault(text: unknown): string | undefined {
  try {
    new RegExp(String(text), 'u');
    return undefined;
  } catch {
    // What is wrong with it is the fault itself; the engine's own words name its flags and help nobody.
    return 'must be a regular expression';
  }
}

const template = object({
  generateName: optional(
    string({ maxLength: 253, description: 'What the names of the host endpoints begin with.' }),
  ),
  nodeSelector: optional(unboundedSelector({ description: 'The nodes that get one.' })),
  interfaceCIDRs: optional(
    arrayOf(string({ check: cidrFault }), {
      'x-kubernetes-list-type': 'set',
      description: 'Only addresses in these ranges become expected addresses.',
    }),
  ),
  interfacePattern: optional(
    string({
      check: patternFault,
      description: 'Regular expression of interfaces, each of which gets a host endpoint of its own.',
    }),
  ),
  labels: optional(mapOf(string(), { description: 'Labels of the host endpoints.' })),
  annotations: optional(mapOf(string(), { description: 'Annotations of the host endpoints.' })),
});

export const hostEndpointTemplates = arrayOf(template, {
  'x-kubernetes-list-type': 'atomic',
  description: 'What else to make, per node that a template selects.',
});
