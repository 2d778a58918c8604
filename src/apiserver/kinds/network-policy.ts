// networking.k8s.io/v1 NetworkPolicy: schema, defaults and the rules that Kubernetes holds it to.
import { cidrContains, tryParseCidr } from '../../net/index.ts';
import { isObject, type Json, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import { labelSelectorFaults } from '../objects/labels.ts';
import { portNameFaults, portNumberFaults } from '../objects/names.ts';
import {
  integer,
  intOrString,
  listOf,
  type Schema,
  strictObject,
  string,
  stringMap,
} from '../schema/schema.ts';
import { forbiddenValue, invalidShown, invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { ageColumn } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

const selector: Schema = {
  'x-kubernetes-map-type': 'atomic',
  ...strictObject({
    matchLabels: stringMap,
    matchExpressions: listOf(strictObject({ key: string, operator: string, values: listOf(string) })),
  }),
};

const port = strictObject({
  protocol: { type: 'string', enum: ['TCP', 'UDP', 'SCTP'], default: 'TCP' },
  port: intOrString,
  endPort: integer,
});

const peer = strictObject({
  podSelector: selector,
  namespaceSelector: selector,
  ipBlock: strictObject({ cidr: string, except: listOf(string) }),
});

const rule = (peers: string): Schema => strictObject({ ports: listOf(port), [peers]: listOf(peer) });

export const networkPolicyType = builtIn({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  hasGeneration: true,
  emptyObject: { spec: { podSelector: {} } },
  schema: strictObject({
    spec: strictObject({
      podSelector: { ...selector, default: {} },
      ingress: listOf(rule('from')),
      egress: listOf(rule('to')),
      policyTypes: listOf({ type: 'string', enum: ['Ingress', 'Egress'] }),
    }),
  }),
  columns: [{ name: 'Pod-Selector', type: 'string', value: podSelectorShown }, ageColumn],
  complete(policy) {
    if (!isObject(policy.spec)) policy.spec = {};
    const { spec } = policy;
    if (!isObject(spec)) return;
    spec.podSelector ??= {};
    if (listAt(spec, 'policyTypes').length === 0) {
      // Ingress always; egress only where it speaks of egress.
      spec.policyTypes = listAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    }
  },
  objectRules(policy) {
    const spec = objectAt(policy, 'spec');
    return [
      ...labelSelectorFaults(objectAt(spec, 'podSelector'), 'spec.podSelector'),
      ...ruleFaults(listAt(spec, 'ingress'), 'from', 'spec.ingress'),
      ...ruleFaults(listAt(spec, 'egress'), 'to', 'spec.egress'),
      ...policyTypesFaults(listAt(spec, 'policyTypes')),
    ];
  },
});

function policyTypesFaults(types: readonly Json[]): FieldFault[] {
  if (types.length <= 2) return [];
  return [
    invalidShown('spec.policyTypes', JSON.stringify(types), 'may not specify more than two policyTypes'),
  ];
}

function ruleFaults(rules: readonly Json[], peers: 'from' | 'to', path: string): FieldFault[] {
  return rules.flatMap((one, index) => [
    ...listAt(one, 'ports').flatMap((port, at) => portFaults(port, `${path}[${index}].ports[${at}]`)),
    ...listAt(one, peers).flatMap((peer, at) => peerFaults(peer, `${path}[${index}].${peers}[${at}]`)),
  ]);
}

function portFaults(value: Json, path: string): FieldFault[] {
  const { port, endPort } = objectAt(value);
  const faults: FieldFault[] = [];
  const isNumber = typeof port === 'number';
  const why = isNumber ? portNumberFaults(port) : typeof port === 'string' ? portNameFaults(port) : [];
  faults.push(...why.map((one) => invalidValue(`${path}.port`, port, one)));
  if (typeof endPort !== 'number') return faults;
  if (port === undefined) {
    faults.push(
      invalidValue(`${path}.endPort`, endPort, 'may not be specified when `port` is not specified'),
    );
  } else if (!isNumber) {
    faults.push(invalidValue(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
  } else if (endPort < port) {
    // The value that it shows is that of the port, in Kubernetes as well.
    faults.push(invalidValue(`${path}.endPort`, port, 'must be greater than or equal to `port`'));
  }
  const outside = portNumberFaults(endPort);
  return [...faults, ...outside.map((one) => invalidValue(`${path}.endPort`, endPort, one))];
}

function peerFaults(value: Json, path: string): FieldFault[] {
  const peer = objectAt(value);
  const faults: FieldFault[] = [];
  for (const field of ['podSelector', 'namespaceSelector']) {
    const selector = peer[field];
    if (isObject(selector)) faults.push(...labelSelectorFaults(selector, `${path}.${field}`));
  }
  if (Object.keys(peer).length === 0) faults.push(requiredValue(path, 'must specify a peer'));
  if (isObject(peer.ipBlock)) {
    if (Object.keys(peer).length > 1) {
      faults.push(forbiddenValue(path, 'may not specify both ipBlock and another peer'));
    }
    faults.push(...ipBlockFaults(peer.ipBlock, `${path}.ipBlock`));
  }
  return faults;
}

function ipBlockFaults(block: Json, path: string): FieldFault[] {
  const text = stringAt(block, 'cidr');
  if (text === '') return [requiredValue(`${path}.cidr`)];
  const cidr = tryParseCidr(text);
  const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  if (!cidr) return [invalidValue(`${path}.cidr`, text, why)];
  return listAt(block, 'except').flatMap((item, index) => {
    const field = `${path}.except[${index}]`;
    const except = tryParseCidr(String(item));
    if (!except) return [invalidValue(field, item, why)];
    const isWithin =
      except.length > cidr.length && cidrContains(cidr, { family: except.family, value: except.network });
    return isWithin ? [] : [invalidValue(field, item, 'must be a strict subset of `cidr`')];
  });
}

function podSelectorShown(policy: KubeObject): string {
  const selector = objectAt(policy, 'spec', 'podSelector');
  const equal = Object.entries(objectAt(selector, 'matchLabels')).map(([key, value]) => `${key}=${value}`);
  const rest = listAt(selector, 'matchExpressions').map((one) => {
    const key = stringAt(one, 'key');
    const values = `(${listAt(one, 'values').join(',')})`;
    switch (stringAt(one, 'operator')) {
      case 'In':
        return `${key} in ${values}`;
      case 'NotIn':
        return `${key} notin ${values}`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...equal, ...rest].join(',') || '<none>';
}
