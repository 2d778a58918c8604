import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyRanges } from './cluster-ranges.ts';

const rangesOf = (text: string) => proxyRanges({ data: { 'config.conf': text } });

test('kube-proxy knows pods by the ranges that its configuration names, if it knows them by ranges', () => {
  assert.deepEqual(rangesOf('clusterCIDR: 10.244.0.0/16\n'), ['10.244.0.0/16']);
  assert.deepEqual(rangesOf('clusterCIDR: 10.244.0.0/16,fd00::/48\ndetectLocalMode: ClusterCIDR\n'), [
    '10.244.0.0/16',
    'fd00::/48',
  ]);
  // By none: it masquerades nothing for where it comes from.
  assert.deepEqual(rangesOf('clusterCIDR: ""\ndetectLocalMode: ""\n'), []);
  assert.deepEqual(rangesOf('clusterCIDR: 10.244.0.0/16\ndetectLocalMode: InterfaceNamePrefix\n'), []);
});

test('what its configuration does not say, or says by the ranges of nodes, is not known', () => {
  assert.equal(rangesOf('clusterCIDR: 10.244.0.0/16\ndetectLocalMode: NodeCIDR\n'), undefined);
  assert.equal(rangesOf('mode: iptables\n'), undefined);
  assert.equal(rangesOf('{'), undefined);
  assert.equal(proxyRanges({}), undefined);
});
