// What Felix' settings change about routes and about whose an interface is; what is calculated without them is proved elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type HostEndpoint,
  type IPAMBlock,
  type IPPool,
  type IPPoolSpec,
  type Node,
  nodeAnnotations,
  type Pod,
} from '../resources/index.ts';
import { Calculator, type CalculatorOptions } from './calculator.ts';

const apiVersion = 'projectcalico.org/v3';
const pool = (spec: Partial<IPPoolSpec> = {}): IPPool => ({
  apiVersion,
  kind: 'IPPool',
  metadata: { name: 'pool' },
  spec: { cidr: '10.1.0.0/16', ...spec },
});

/** Node number 3 has another subnet than 1 and 2. */
const node = (number: 1 | 2 | 3): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: `node-${number}`,
    annotations: {
      [nodeAnnotations.ipv4Address]: number === 3 ? '172.31.0.13/24' : `172.30.0.1${number}/24`,
      [nodeAnnotations.ipv4VxlanTunnelAddress]: `10.1.${number}.0`,
      [nodeAnnotations.vxlanTunnelMac]: `66:00:00:00:00:0${number}`,
    },
  },
});

const pod = (number: 1 | 2 | 3, address = `10.1.${number}.9`, name = `pod-${number}`): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'red', name },
  spec: { nodeName: `node-${number}`, containers: [] },
  status: { podIPs: [{ ip: address }] },
});

const block = (number: 1 | 2 | 3): IPAMBlock => ({
  apiVersion,
  kind: 'IPAMBlock',
  metadata: { name: `block-${number}` },
  spec: {
    cidr: `10.1.${number}.0/26`,
    affinity: `host:node-${number}`,
    allocations: [],
    attributes: [],
    unallocated: [],
    strictAffinity: false,
    sequenceNumber: 0,
  },
});

const numbers = [1, 2, 3] as const;

function calculatorWith(overlay: CalculatorOptions['overlay'], spec: Partial<IPPoolSpec>): Calculator {
  const calculator = new Calculator({ node: 'node-1', ...(overlay && { overlay }) });
  calculator.setPool(pool(spec));
  for (const number of numbers) {
    calculator.setNode(node(number));
    calculator.setBlock(block(number));
    calculator.setPod(pod(number));
  }
  calculator.takeChanges();
  return calculator;
}

const routesOf = ({ state }: Calculator) =>
  [...state.routes]
    .map(([destination, route]) => `${destination} ${route.kind}${'node' in route ? ` ${route.node}` : ''}`)
    .sort();

test('routes follow blocks, or pods and tunnels each for itself, as routeSource says', () => {
  assert.deepEqual(routesOf(calculatorWith(undefined, { vxlanMode: 'Always' })), [
    '10.1.1.0/26 blackhole',
    '10.1.2.0/26 vxlan node-2',
    '10.1.3.0/26 vxlan node-3',
  ]);
  assert.deepEqual(routesOf(calculatorWith({ routeSource: 'WorkloadIPs' }, { vxlanMode: 'CrossSubnet' })), [
    '10.1.2.0/32 direct node-2',
    '10.1.2.9/32 direct node-2',
    '10.1.3.0/32 vxlan node-3',
    '10.1.3.9/32 vxlan node-3',
  ]);
});

test('an address that passes from one pod to another keeps its route, in whichever order the two are told of', () => {
  const calculator = calculatorWith({ routeSource: 'WorkloadIPs' }, { vxlanMode: 'Always' });
  calculator.setPod(pod(3, '10.1.2.9', 'heir'));
  calculator.deletePod('red/pod-2');
  calculator.takeChanges();
  assert.ok(routesOf(calculator).includes('10.1.2.9/32 vxlan node-3'));
  calculator.deletePod('red/heir');
  assert.deepEqual(calculator.takeChanges().routes, new Set(['10.1.2.9/32']));
  assert.ok(!calculator.state.routes.has('10.1.2.9/32'));
});

test('an address that is used on another node than its block follows that node, whenever this is told of', () => {
  const calculator = calculatorWith(undefined, { vxlanMode: 'CrossSubnet' });
  const borrowed = block(2);
  const attributes = [{ handle_id: 'h', secondary: { pod: 'p', namespace: 'red', node: 'node-4' } }];
  calculator.setBlock({ ...borrowed, spec: { ...borrowed.spec, allocations: [null, 0], attributes } });
  calculator.takeChanges();
  assert.ok(!calculator.state.routes.has('10.1.2.1/32'), 'nothing is known of that node yet');
  const far = node(3);
  const farEnd = {
    [nodeAnnotations.ipv4VxlanTunnelAddress]: '10.1.4.0',
    [nodeAnnotations.vxlanTunnelMac]: '66:00:00:00:00:04',
  };
  const farAnnotations = { ...far.metadata.annotations, ...farEnd };
  calculator.setNode({
    ...far,
    metadata: { ...far.metadata, name: 'node-4', annotations: farAnnotations },
  });
  assert.deepEqual(calculator.takeChanges().routes, new Set(['10.1.2.1/32']));
  calculator.deleteNode('node-4');
  assert.deepEqual(calculator.takeChanges().routes, new Set(['10.1.2.1/32']));
  // On another link now, all ways are other ways.
  const self = node(1);
  const annotations = { ...self.metadata.annotations, [nodeAnnotations.ipv4Address]: '172.31.0.11/24' };
  calculator.setNode({ ...self, metadata: { ...self.metadata, annotations } });
  calculator.takeChanges();
  assert.deepEqual(routesOf(calculator), [
    '10.1.1.0/26 blackhole',
    '10.1.2.0/26 vxlan node-2',
    '10.1.3.0/26 direct node-3',
  ]);
});

test('a pool without encapsulation has routes within the subnet where programClusterRoutes says so', () => {
  assert.deepEqual(routesOf(calculatorWith(undefined, {})), []);
  assert.deepEqual(routesOf(calculatorWith({ routesPlainPools: true }, {})), [
    '10.1.1.0/26 blackhole',
    '10.1.2.0/26 direct node-2',
  ]);
  assert.deepEqual(routesOf(calculatorWith({ routesPlainPools: true }, { ipipMode: 'Always' })), []);
});

test('an excluded interface, or a workload’s, belongs to no endpoint that names it or has its address, but to that of all interfaces', () => {
  const host = (name: string, spec: Partial<HostEndpoint['spec']>): HostEndpoint => ({
    apiVersion,
    kind: 'HostEndpoint',
    metadata: { name },
    spec: { node: 'node-1', ...spec },
  });
  const ownersWith = (excludedInterfaces: RegExp[], foreignWorkloads: string[] = []) => {
    const calculator = new Calculator({ node: 'node-1', excludedInterfaces, foreignWorkloads });
    calculator.setInterface('kube-ipvs0', ['10.96.0.1']);
    calculator.setInterface('eth0', ['172.30.0.11']);
    calculator.setHostEndpoint(host('named', { interfaceName: 'kube-ipvs0' }));
    calculator.setHostEndpoint(host('found', { expectedIPs: ['10.96.0.1', '172.30.0.11'] }));
    calculator.setHostEndpoint(host('all', { interfaceName: '*' }));
    calculator.takeChanges();
    return [...calculator.state.hostEndpoints].map(([name, { endpoint }]) => `${name} ${endpoint}`).sort();
  };
  assert.deepEqual(ownersWith([]), ['* all', 'eth0 found', 'kube-ipvs0 named']);
  assert.deepEqual(ownersWith([/^kube-ipvs0$/]), ['* all', 'eth0 found']);
  assert.deepEqual(ownersWith([/^kube/, /^eth/]), ['* all']);
  assert.deepEqual(ownersWith([], ['kube']), ['* all', 'eth0 found']);
});
