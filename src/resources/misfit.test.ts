import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EndpointSlice, endpointSlices } from './kubernetes/endpoint-slice.ts';
import { misfit } from './misfit.ts';

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
