// What a Service's spec must be, in Kubernetes' words (ValidateService describes it in its code alone).
import { cidrContains, parseCidr, tryParseAddress, tryParseCidr } from '../../net/index.ts';
import { type Json, type JsonObject, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import { labelMapFaults } from '../objects/labels.ts';
import { dnsLabelFaults, portNameFaults, portNumberFaults, subdomainFaults } from '../objects/names.ts';
import {
  duplicateValue,
  forbiddenValue,
  invalidShown,
  invalidValue,
  requiredValue,
} from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';

export const serviceCidr = parseCidr('10.96.0.0/12');
export const firstNodePort = 30_000;
export const nodePorts = 2768;
const loopback = parseCidr('127.0.0.0/8');
const linkLocal = parseCidr('169.254.0.0/16');

export function serviceFaults(service: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const spec = objectAt(service, 'spec');
  const ports = listAt(spec, 'ports');
  const address = stringAt(spec, 'clusterIP');
  const faults: FieldFault[] = [];
  if (ports.length === 0 && address !== 'None' && spec.type !== 'ExternalName') {
    faults.push(requiredValue('spec.ports'));
  }
  faults.push(...portsFaults(spec, ports), ...labelMapFaults(spec.selector, 'spec.selector'));
  if (spec.type === 'ExternalName') return [...faults, ...externalNameFaults(stringAt(spec, 'externalName'))];
  return [
    ...faults,
    ...clusterAddressFaults(
      address,
      stringAt(spec, 'type'),
      stringAt(old, 'spec', 'type'),
      stringAt(old, 'spec', 'clusterIP'),
    ),
    ...listAt(spec, 'externalIPs').flatMap((one, index) => externalAddressFaults(String(one), index)),
    ...outsideFaults(spec),
  ];
}

function portsFaults(spec: JsonObject, ports: readonly Json[]): FieldFault[] {
  const names = new Set<string>();
  const numbers = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`;
    const name = stringAt(port, 'name');
    const faults = portFaults(spec, port, path);
    const { port: number = 0, protocol = '' } = objectAt(port);
    if (numbers.has(`${number}/${protocol}`)) faults.push(duplicateValue(path, { port: number, protocol }));
    numbers.add(`${number}/${protocol}`);
    if (name === '' && ports.length > 1) faults.unshift(requiredValue(`${path}.name`));
    if (name !== '' && names.has(name)) faults.unshift(duplicateValue(`${path}.name`, name));
    names.add(name);
    return faults;
  });
}

function portFaults(spec: JsonObject, port: Json, path: string): FieldFault[] {
  const { name = '', port: number = 0, targetPort, nodePort } = objectAt(port);
  const faults: FieldFault[] = [];
  const blame = (field: string, value: Json, reasons: readonly string[]) =>
    faults.push(...reasons.map((why) => invalidValue(`${path}.${field}`, value, why)));
  if (name !== '') blame('name', name, dnsLabelFaults(String(name)));
  blame('port', number, portNumberFaults(Number(number)));
  if (typeof targetPort === 'number') blame('targetPort', targetPort, portNumberFaults(targetPort));
  if (typeof targetPort === 'string') blame('targetPort', targetPort, portNameFaults(targetPort));
  if (typeof nodePort !== 'number' || nodePort === 0) return faults;
  if (spec.type === 'ClusterIP') {
    faults.push(forbiddenValue(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
  } else if (nodePort < firstNodePort || nodePort >= firstNodePort + nodePorts) {
    const range = `${firstNodePort}-${firstNodePort + nodePorts - 1}`;
    const why = `provided port is not in the valid range. The range of valid ports is ${range}`;
    blame('nodePort', nodePort, [why]);
  }
  return faults;
}

function externalNameFaults(name: string): FieldFault[] {
  if (name === '') return [requiredValue('spec.externalName')];
  return subdomainFaults(name).map((why) => invalidValue('spec.externalName', name, why));
}

const addressWords = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

function clusterAddressFaults(
  address: string,
  type: string,
  typeBefore: string,
  before: string,
): FieldFault[] {
  const faults: FieldFault[] = [];
  const field = 'spec.clusterIPs[0]';
  if (before && typeBefore !== 'ExternalName' && before !== address) {
    faults.push(invalidShown(field, JSON.stringify([address]), 'may not change once set'));
  }
  if (address === '') return faults;
  if (address === 'None') {
    if (type !== 'ClusterIP') {
      faults.push(invalidValue(field, address, `may not be set to 'None' for ${type} services`));
    }
    return faults;
  }
  const parsed = tryParseAddress(address);
  if (!parsed) faults.push(invalidValue(field, address, addressWords));
  else if (parsed.family === 4 && !cidrContains(serviceCidr, parsed)) {
    const why = `failed to allocate IP ${address}: the provided network does not match the current range`;
    faults.push(invalidShown('spec.clusterIPs', JSON.stringify([address]), why));
  }
  return faults;
}

function externalAddressFaults(text: string, index: number): FieldFault[] {
  const field = `spec.externalIPs[${index}]`;
  const address = tryParseAddress(text);
  if (!address) return [invalidValue(field, text, addressWords)];
  const isLoopback = address.family === 4 ? cidrContains(loopback, address) : address.value === 1n;
  if (isLoopback) {
    return [invalidValue(field, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  }
  if (address.family === 4 && cidrContains(linkLocal, address)) {
    const why = 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
    return [invalidValue(field, text, why)];
  }
  return [];
}

/** What only services that are reached from outside may say. */
function outsideFaults(spec: JsonObject): FieldFault[] {
  const faults: FieldFault[] = [];
  const isOutside =
    spec.type === 'NodePort' || spec.type === 'LoadBalancer' || listAt(spec, 'externalIPs').length > 0;
  if (spec.externalTrafficPolicy !== undefined && !isOutside) {
    const why = 'may only be set for externally-accessible services';
    faults.push(invalidValue('spec.externalTrafficPolicy', spec.externalTrafficPolicy, why));
  }
  const ranges = listAt(spec, 'loadBalancerSourceRanges');
  if (ranges.length > 0 && spec.type !== 'LoadBalancer') {
    const why = "may only be used when `type` is 'LoadBalancer'";
    faults.push(forbiddenValue('spec.LoadBalancerSourceRanges', why));
  }
  for (const [index, range] of ranges.entries()) {
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    if (!tryParseCidr(String(range).trim())) {
      faults.push(invalidValue(`spec.LoadBalancerSourceRanges[${index}]`, range, why));
    }
  }
  return faults;
}
