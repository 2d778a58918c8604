// What an EndpointSlice must be, in Kubernetes' words.
import { tryParseAddress } from '../../net/index.ts';
import { type Json, type KubeObject, listAt, stringAt } from '../json.ts';
import { portNameFaults, subdomainFaults } from '../objects/names.ts';
import { duplicateValue, invalidValue, requiredValue, unsupportedValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];

export function endpointSliceFaults(slice: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const type = stringAt(slice, 'addressType');
  if (old && stringAt(old, 'addressType') !== type) {
    return [invalidValue('addressType', type, 'field is immutable')];
  }
  const faults = typeFaults(type);
  faults.push(
    ...listAt(slice, 'endpoints').flatMap((endpoint, index) =>
      endpointFaults(endpoint, type, `endpoints[${index}]`),
    ),
    ...portsFaults(listAt(slice, 'ports')),
  );
  return faults;
}

function typeFaults(type: string): FieldFault[] {
  if (type === '') return [requiredValue('addressType')];
  return addressTypes.includes(type) ? [] : [unsupportedValue('addressType', type, addressTypes)];
}

function endpointFaults(endpoint: Json, type: string, path: string): FieldFault[] {
  const addresses = listAt(endpoint, 'addresses');
  if (addresses.length === 0) {
    return [requiredValue(`${path}.addresses`, 'must contain at least 1 address')];
  }
  return addresses.flatMap((address, index) => {
    const field = `${path}.addresses[${index}]`;
    return addressFaults(String(address), type, field);
  });
}

function addressFaults(address: string, type: string, field: string): FieldFault[] {
  if (type === 'FQDN') return subdomainFaults(address).map((why) => invalidValue(field, address, why));
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const family = tryParseAddress(address)?.family;
  if (family === undefined) {
    return [invalidValue(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  }
  // Here the real server blames the list.
  const list = field.replace(/\[\d+\]$/, '');
  return type === `IPv${family}` ? [] : [invalidValue(list, address, `must be an ${type} address`)];
}

function portsFaults(ports: readonly Json[]): FieldFault[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`;
    const name = stringAt(port, 'name');
    const protocol = stringAt(port, 'protocol');
    const faults = (name === '' ? [] : portNameFaults(name)).map((why) =>
      invalidValue(`${path}.name`, name, why),
    );
    if (names.has(name)) faults.push(duplicateValue(`${path}.name`, name));
    names.add(name);
    if (!protocols.includes(protocol)) faults.push(unsupportedValue(`${path}.protocol`, protocol, protocols));
    return faults;
  });
}
