// v1 Service, with the allocation of cluster addresses and node ports. No proxy stands behind them here.
import { randomInt } from 'node:crypto';
import { addressAt, formatAddress } from '../../net/index.ts';
import { isObject, type JsonObject, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import {
  atomicList,
  boolean,
  integer,
  intOrString,
  listByKey,
  openObject,
  strictObject,
  string,
  stringMap,
} from '../schema/schema.ts';
import type { Store } from '../store/store.ts';
import { ageColumn } from '../table/age.ts';
import { conditionList } from './conditions.ts';
import { builtIn } from './resource-type.ts';
import { firstNodePort, nodePorts, serviceCidr, serviceFaults } from './service-rules.ts';

const serviceAddresses = 2 ** 20;

const port = strictObject({
  name: string,
  port: integer,
  targetPort: intOrString,
  nodePort: integer,
  protocol: { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' },
  appProtocol: string,
});

const spec = strictObject({
  type: {
    type: 'string',
    enum: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
    default: 'ClusterIP',
  },
  selector: { ...stringMap, 'x-kubernetes-map-type': 'atomic' },
  clusterIP: string,
  clusterIPs: atomicList(string),
  externalIPs: atomicList(string),
  externalName: string,
  externalTrafficPolicy: { type: 'string', enum: ['Cluster', 'Local'] },
  internalTrafficPolicy: { type: 'string', enum: ['Cluster', 'Local'] },
  trafficDistribution: string,
  healthCheckNodePort: integer,
  publishNotReadyAddresses: boolean,
  sessionAffinity: { type: 'string', enum: ['ClientIP', 'None'], default: 'None' },
  sessionAffinityConfig: openObject({}),
  ipFamilies: atomicList(string),
  ipFamilyPolicy: string,
  allocateLoadBalancerNodePorts: boolean,
  loadBalancerClass: string,
  loadBalancerIP: string,
  loadBalancerSourceRanges: atomicList(string),
  ports: listByKey(['port', 'protocol'], port),
});

export const serviceType = builtIn({
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  hasStatus: true,
  nameRule: 'service',
  schema: strictObject({
    spec: { ...spec, default: {} },
    status: {
      ...strictObject({ loadBalancer: openObject({}), conditions: conditionList }),
      default: { loadBalancer: {} },
    },
  }),
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
  complete(service) {
    const spec = objectAt(service, 'spec');
    for (const port of listAt(spec, 'ports')) {
      if (isObject(port) && !port.targetPort) port.targetPort = port.port ?? 0;
    }
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ??= 'Cluster';
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  },
  prepare(service, old, store) {
    const spec = objectAt(service, 'spec');
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
  warnings: (service) =>
    stringAt(service, 'spec', 'clusterIP') === 'None'
      ? ['spec.SessionAffinity is ignored for headless services']
      : [],
  objectRules: serviceFaults,
});

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
