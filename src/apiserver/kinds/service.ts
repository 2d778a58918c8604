// v1 Service, with the allocation of cluster addresses and node ports. No proxy stands behind them here.
import { randomInt } from 'node:crypto';
import { addressAt, cidrContains, formatAddress, parseCidr, tryParseAddress } from '../../net/index.ts';
import { isObject, type JsonObject, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import { intOrString, listByKey, openObject, setOf, string, stringMap } from '../schema/schema.ts';
import { invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { ageColumn } from '../table/age.ts';
import { conditionList } from './conditions.ts';
import { builtIn } from './resource-type.ts';

const serviceCidr = parseCidr('10.96.0.0/12');
const serviceAddresses = 2 ** 20;
const firstNodePort = 30_000;
const nodePorts = 2768;

export const serviceType = builtIn({
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  hasStatus: true,
  nameRule: 'label',
  schema: openObject(
    {
      spec: openObject({
        type: {
          type: 'string',
          enum: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
          default: 'ClusterIP',
        },
        selector: stringMap,
        clusterIP: string,
        clusterIPs: setOf(string),
        externalIPs: setOf(string),
        sessionAffinity: { type: 'string', enum: ['ClientIP', 'None'], default: 'None' },
        internalTrafficPolicy: { type: 'string', enum: ['Cluster', 'Local'], default: 'Cluster' },
        ports: listByKey(
          ['port', 'protocol'],
          openObject(
            {
              name: string,
              port: { type: 'integer', minimum: 1, maximum: 65535 },
              targetPort: intOrString,
              nodePort: { type: 'integer', minimum: 0, maximum: 65535 },
              protocol: { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' },
            },
            ['port'],
          ),
        ),
      }),
      status: { ...openObject({ conditions: conditionList }), default: { loadBalancer: {} } },
    },
    ['spec'],
  ),
  columns: [
    { name: 'Type', type: 'string', value: (service) => stringAt(service, 'spec', 'type') },
    {
      name: 'Cluster-IP',
      type: 'string',
      value: (service) => stringAt(service, 'spec', 'clusterIP') || '<none>',
    },
    { name: 'External-IP', type: 'string', value: externalAddresses },
    { name: 'Port(s)', type: 'string', value: portsShown },
    ageColumn,
    { name: 'Selector', type: 'string', priority: 1, value: selectorShown },
  ],
  selectableFields: ['spec.clusterIP', 'spec.type'],
  prepare(service, old, store) {
    const spec = objectAt(service, 'spec');
    for (const port of listAt(spec, 'ports')) {
      if (isObject(port)) port.targetPort ??= port.port;
    }
    if (spec.type === 'ExternalName') {
      // Changing the type gives the address back, as Kubernetes does.
      if (spec.clusterIP === stringAt(old, 'spec', 'clusterIP')) {
        delete spec.clusterIP;
        delete spec.clusterIPs;
      }
      return;
    }
    // A replacement that does not name the address keeps it.
    if (!spec.clusterIP) spec.clusterIP = stringAt(old, 'spec', 'clusterIP') || freeClusterIp(store);
    spec.clusterIPs ??= [spec.clusterIP];
    spec.ipFamilies ??= [String(spec.clusterIP).includes(':') ? 'IPv6' : 'IPv4'];
    spec.ipFamilyPolicy ??= 'SingleStack';
    if (spec.type !== 'ClusterIP') allocateNodePorts(spec, old, store);
  },
  objectRules: serviceRules,
});

function serviceRules(service: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  const spec = objectAt(service, 'spec');
  const ports = listAt(spec, 'ports');
  const address = stringAt(spec, 'clusterIP');
  if (spec.type === 'ExternalName') {
    if (!stringAt(spec, 'externalName')) faults.push(requiredValue('spec.externalName'));
    return faults;
  }
  if (ports.length === 0 && address !== 'None') faults.push(requiredValue('spec.ports'));
  if (ports.length > 1) {
    for (const [index, port] of ports.entries()) {
      if (!stringAt(port, 'name')) faults.push(requiredValue(`spec.ports[${index}].name`));
    }
  }
  const parsed = tryParseAddress(address);
  if (address !== 'None' && address !== '') {
    if (!parsed) faults.push(invalidValue('spec.clusterIPs[0]', address, 'must be a valid IP address'));
    else if (parsed.family === 4 && !cidrContains(serviceCidr, parsed)) {
      const why =
        'failed to allocate IP: the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12';
      faults.push(invalidValue('spec.clusterIPs', address, why));
    }
  }
  const before = stringAt(old, 'spec', 'clusterIP');
  if (before && stringAt(old, 'spec', 'type') !== 'ExternalName' && before !== address) {
    faults.push(invalidValue('spec.clusterIPs[0]', address, 'may not change once set'));
  }
  return faults;
}

function freeClusterIp(store: Store): string {
  const taken = new Set(store.list('services').map((service) => stringAt(service, 'spec', 'clusterIP')));
  // A random start keeps an address from being handed out again right after its service went.
  const start = randomInt(serviceAddresses);
  for (let step = 0; step < serviceAddresses; step++) {
    // The first addresses are left to well-known services, the last is the broadcast address.
    const offset = 10 + ((start + step) % (serviceAddresses - 11));
    const address = formatAddress(addressAt(serviceCidr, BigInt(offset)));
    if (!taken.has(address)) return address;
  }
  throw new Error('Cannot allocate a cluster IP: every address of 10.96.0.0/12 is taken');
}

function allocateNodePorts(spec: JsonObject, old: KubeObject | undefined, store: Store): void {
  const portsOf = (service: KubeObject | undefined) => listAt(service, 'spec', 'ports');
  const taken = new Set(
    store
      .list('services')
      .flatMap(portsOf)
      .map((port) => objectAt(port).nodePort),
  );
  for (const port of listAt(spec, 'ports')) {
    if (!isObject(port) || port.nodePort) continue;
    const before = portsOf(old).find(
      (one) => objectAt(one).port === port.port && objectAt(one).protocol === port.protocol,
    );
    port.nodePort = objectAt(before).nodePort;
    for (let next = firstNodePort; !port.nodePort && next < firstNodePort + nodePorts; next++) {
      if (!taken.has(next)) port.nodePort = next;
    }
    taken.add(port.nodePort);
  }
}

function externalAddresses(service: KubeObject): string {
  if (stringAt(service, 'spec', 'type') === 'ExternalName') return stringAt(service, 'spec', 'externalName');
  const ingress = listAt(service, 'status', 'loadBalancer', 'ingress');
  const balanced = ingress.map((one) => stringAt(one, 'ip') || stringAt(one, 'hostname'));
  const all = [...balanced, ...listAt(service, 'spec', 'externalIPs').map(String)];
  if (all.length > 0) return all.join(',');
  return stringAt(service, 'spec', 'type') === 'LoadBalancer' ? '<pending>' : '<none>';
}

function portsShown(service: KubeObject): string {
  const shown = listAt(service, 'spec', 'ports').map((port) => {
    const { port: number, nodePort, protocol } = objectAt(port);
    return nodePort ? `${number}:${nodePort}/${protocol}` : `${number}/${protocol}`;
  });
  return shown.join(',') || '<none>';
}

function selectorShown(service: KubeObject): string {
  const pairs = Object.entries(objectAt(service, 'spec', 'selector')).map(
    ([key, value]) => `${key}=${value}`,
  );
  return pairs.join(',') || '<none>';
}
