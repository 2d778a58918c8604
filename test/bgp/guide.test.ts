// The example of docs/bgp.md is valid, leaves nothing to complain about, and gives a configuration that BIRD reads.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configurationText, modelOf } from '../../src/bgp/index.ts';
import {
  type BGPConfiguration,
  type BGPFilter,
  type BGPPeer,
  readManifest,
} from '../../src/resources/index.ts';
import { secret, testInput, testNode } from './test-cluster.ts';

test('the guide’s example is valid and does what the page says of it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/bgp.md'), 'utf8');
  const yaml = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? assert.fail('the page has no example');
  const objects = readManifest(yaml, 'docs/bgp.md').map(
    (entry) => entry.object ?? assert.fail(JSON.stringify(entry.faults)),
  );
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const reflector = testNode(3, {
    labels: { 'route-reflector': '' },
    annotations: { 'projectcalico.org/RouteReflectorClusterID': '244.0.0.1' },
  });
  const { model, faults } = modelOf(
    testInput({
      nodes: [testNode(1), testNode(2), reflector],
      configurations: ofKind('BGPConfiguration') as BGPConfiguration[],
      peers: ofKind('BGPPeer') as BGPPeer[],
      filters: ofKind('BGPFilter') as BGPFilter[],
      secrets: [secret('bgp', { 'rack-a': 'sesame' })],
    }),
  );
  assert.deepEqual(faults, []);
  assert.ok(model);
  assert.deepEqual(
    model.peers.map(({ name, password }) => [name, password]),
    [
      ['Node_10_0_0_3', undefined],
      ['Node_10_9_0_1', 'sesame'],
      ['Node_fd00__3', undefined],
    ],
  );
  assert.deepEqual(model.families[0]?.services.routes, ['10.96.0.0/12']);
  const folder = mkdtempSync(join(tmpdir(), 'calico-bgp-guide-'));
  try {
    writeFileSync(join(folder, 'bird.conf'), configurationText(model, { logFile: join(folder, 'bird.log') }));
    const { status, stderr } = spawnSync('bird', ['-p', '-c', join(folder, 'bird.conf')], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
