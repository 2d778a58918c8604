import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json.ts';
import { fillRequests, qosClassOf } from './qos-class.ts';

function classOf(...resources: JsonObject[]): string {
  const spec = { containers: resources.map((one) => ({ resources: one })) };
  fillRequests(spec);
  return qosClassOf(spec);
}

const both = { cpu: '1', memory: '1Gi' };

test('a pod that asks for nothing is best effort', () => {
  assert.equal(classOf({}, { limits: { 'example.com/gpu': 1 } }), 'BestEffort');
});

test('a pod whose every container has what it asks for as its limit is guaranteed', () => {
  assert.equal(classOf({ limits: both }), 'Guaranteed');
  assert.equal(classOf({ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed');
});

test('a pod that asks for less than its limits, or not in every container, is burstable', () => {
  assert.equal(classOf({ limits: both, requests: { cpu: '500m' } }), 'Burstable');
  assert.equal(classOf({ limits: both }, {}), 'Burstable');
  assert.equal(classOf({ requests: { cpu: 1 } }), 'Burstable');
  assert.equal(classOf({ limits: { memory: '1Gi' } }), 'Burstable');
});
