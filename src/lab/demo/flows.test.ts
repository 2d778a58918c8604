import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbedPod } from '../matrix/matrix.ts';
import { keyOfPod, probedPod } from '../running-pods.ts';
import { samplePods } from '../workload.ts';
import { turningFlows } from './flows.ts';
import { channels, everythingConnected, testIsolated, testIsolatedButHttp } from './stages.ts';

const pods: ProbedPod[] = samplePods().map((pod, i) =>
  probedPod({ ...pod, spec: { ...pod.spec, nodeName: `node-${(i % 3) + 1}` } }, `192.168.0.${i + 1}`),
);
const subjects = pods.filter(({ namespace }) => namespace === 'test');
const [http, , dns] = channels;
assert.ok(http && dns);

test('the watched flows reach and leave every pod of "test" and stay few', () => {
  const flows = turningFlows(pods, subjects, dns, everythingConnected, testIsolated);
  for (const pod of subjects) {
    assert.ok(
      flows.some(({ to }) => to === keyOfPod(pod)),
      `a flow to ${pod.name}`,
    );
    assert.ok(
      flows.some(({ from }) => from === keyOfPod(pod)),
      `a flow from ${pod.name}`,
    );
  }
  assert.ok(flows.length <= 2 * subjects.length);
  const nodeOf = new Map(pods.map((pod) => [keyOfPod(pod), pod.node]));
  assert.ok(flows.some(({ from, to }) => nodeOf.get(from) !== nodeOf.get(to)));
  assert.ok(flows.some(({ from, to }) => nodeOf.get(from) === nodeOf.get(to)));
});

test('only flows whose verdict turns are watched', () => {
  const flows = turningFlows(pods, subjects, http, testIsolated, testIsolatedButHttp);
  assert.deepEqual([...new Set(flows.map(({ to }) => to))].sort(), ['test/api-0', 'test/api-1']);
  assert.deepEqual([...new Set(flows.map(({ from }) => from))].sort(), [
    'shop/cart-0',
    'web/front-0',
    'web/front-1',
  ]);
  assert.deepEqual(turningFlows(pods, subjects, dns, testIsolated, testIsolatedButHttp), []);
});

test('a flow to a named port goes to the number that the receiver gives the name', () => {
  const flows = turningFlows(pods, subjects, http, testIsolated, testIsolatedButHttp);
  for (const { to, port } of flows) assert.equal(port, to === 'test/api-1' ? 8000 : 8080);
});
