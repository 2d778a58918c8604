import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../resources/index.ts';
import { podPathOf } from './pod-path.ts';

const read = (annotations: Record<string, string>) =>
  podPathOf({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 't', name: 'a', annotations } } as Pod);

test('a pod that asks for nothing has no path of its own', () => {
  assert.deepEqual(read({ other: 'x' }), { path: undefined, faults: [] });
});

test('limits are quantities, with the defaults of upstream, and Calico’s annotations win over Kubernetes’', () => {
  const { path, faults } = read({
    'kubernetes.io/ingress-bandwidth': '1M',
    'kubernetes.io/egress-bandwidth': '2M',
    'qos.projectcalico.org/egressBandwidth': '10Mi',
    'qos.projectcalico.org/egressBurst': '1Gi',
    'qos.projectcalico.org/egressPeakrate': '20M',
    'qos.projectcalico.org/ingressPacketRate': '100',
    'qos.projectcalico.org/egressPacketRate': '1k',
    'qos.projectcalico.org/egressPacketBurst': '20',
    'qos.projectcalico.org/ingressMaxConnections': '3',
  });
  assert.deepEqual(faults, []);
  assert.deepEqual(path, {
    ingress: {
      bandwidth: { bitsPerSecond: 1e6, burstBits: 4 * 2 ** 30 },
      packets: { perSecond: 100, burst: 5 },
      connections: 3,
    },
    egress: {
      bandwidth: {
        bitsPerSecond: 10 * 2 ** 20,
        burstBits: 2 ** 30,
        peak: { bitsPerSecond: 20e6, minBurstBytes: 1500 },
      },
      packets: { perSecond: 1000, burst: 20 },
    },
  });
});

test('what is out of bounds, or none at all, is left out and named', () => {
  const { path, faults } = read({
    'qos.projectcalico.org/ingressPacketRate': '20k',
    'qos.projectcalico.org/egressMaxConnections': 'many',
    'qos.projectcalico.org/dscp': 'AF51',
    'cni.projectcalico.org/floatingIPs': '10.0.0.1',
    'cni.projectcalico.org/allowedSourcePrefixes': '["10.0.0.0/8","x"]',
  });
  assert.equal(path, undefined);
  assert.deepEqual(
    faults.map((fault) => fault.split(' is ')[0]),
    [
      'annotation cni.projectcalico.org/allowedSourcePrefixes',
      'annotation cni.projectcalico.org/floatingIPs',
      'annotation qos.projectcalico.org/dscp',
      'annotation qos.projectcalico.org/ingressPacketRate',
      'annotation qos.projectcalico.org/egressMaxConnections',
    ],
  );
  assert.match(faults[3] ?? '', /is "20k"; it must be a quantity from 1 to 10000; it is left out/);
});

test('DSCP has numbers and names', () => {
  const value = (text: string) => read({ 'qos.projectcalico.org/dscp': text }).path?.dscp;
  assert.deepEqual(
    ['0', '63', 'DF', 'EF', 'AF11', 'AF43', 'CS6', 'ef'].map(value),
    [0, 63, 0, 46, 10, 38, 48, 46],
  );
  assert.deepEqual(['64', '-1', 'AF50', 'CS7', 'X'].map(value), new Array(5).fill(undefined));
});

test('sources and floating addresses come out in one spelling', () => {
  const { path } = read({
    'cni.projectcalico.org/floatingIPs': '["192.0.2.7","2001:DB8::0:7"]',
    'cni.projectcalico.org/allowedSourcePrefixes': '["10.1.2.3/8","fd00::1"]',
  });
  assert.deepEqual(path, {
    floatingIps: ['192.0.2.7', '2001:db8::7'],
    allowedSources: ['10.0.0.0/8', 'fd00::1/128'],
  });
});
