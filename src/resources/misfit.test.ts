import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipamConfigurations } from './calico/ipam-configuration.ts';
import { type EndpointSlice, endpointSlices } from './kubernetes/endpoint-slice.ts';
import { type Node, nodes } from './kubernetes/node.ts';
import { misfit, soundPart } from './misfit.ts';

const slice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: 'web-x' },
  addressType: 'IPv4',
};

test('a slice without endpoints and ports is one, also as the API server writes it', () => {
  assert.equal(misfit(endpointSlices, slice), undefined);
  assert.equal(misfit(endpointSlices, { ...slice, endpoints: null, ports: null }), undefined);
});

test('what is no list of endpoints is named', () => {
  const wrong = { ...slice, endpoints: { addresses: [] } } as unknown as EndpointSlice;
  assert.equal(misfit(endpointSlices, wrong), 'endpoints must be a list');
});

test('what is sound of an object is what is left without the rest', () => {
  const address = { type: 'InternalIP', address: '192.0.2.1' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { rack: 'a', bad: 5 }, annotations: 'none', resourceVersion: '7' },
    spec: 7,
    status: { addresses: [address, { type: 'InternalIP' }, null, 'x'], conditions: {}, phase: 'x' },
  };
  const part = soundPart(nodes, node as unknown as Node);
  assert.equal(misfit(nodes, part), undefined);
  assert.deepEqual(part, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { rack: 'a' }, resourceVersion: '7' },
    status: { addresses: [address], phase: 'x' },
  });
});

test('an object that lacks its very specification has an empty one', () => {
  const object = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMConfiguration',
    metadata: { name: 'default' },
  };
  const strict = { ...object, spec: { strictAffinity: 'yes', maxBlocksPerHost: 3 } };
  for (const [broken, spec] of [
    [object, {}],
    [{ ...object, spec: [] }, {}],
    [strict, { maxBlocksPerHost: 3 }],
  ] as const) {
    assert.deepEqual(soundPart(ipamConfigurations, broken as never), { ...object, spec });
  }
});
