import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { createLogger } from '../process/index.ts';
import { bgpConfigurations, type Node, nodeAnnotations, nodes, services } from '../resources/index.ts';
import { BgpAgent } from './agent.ts';
import { bgpPaths } from './paths.ts';

test('what says nothing of BGP has nothing computed anew: heartbeats of nodes, and services that nobody is told of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-bgp-agent-'));
  const datastore = new MemoryDatastore();
  const node = (name: string, address: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: {}, annotations: { [nodeAnnotations.ipv4Address]: address } },
  });
  await datastore.create(nodes, node('a', '10.0.0.1/24'));
  await datastore.create(nodes, node('b', '10.0.0.2/24'));
  let computed = 0;
  let next = Promise.withResolvers<void>();
  const agent = new BgpAgent({
    node: 'a',
    namespace: 'x',
    datastore,
    paths: bgpPaths(folder),
    program: join(folder, 'no-bird'),
    hasRoutesToRecover: () => false,
    adoptRoutes: () => {},
    hearPodsAt: () => {
      computed++;
      next.resolve();
      next = Promise.withResolvers();
    },
    log: createLogger('test', 'silent'),
  });
  const service = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'x', name },
  });
  try {
    let done = next.promise;
    agent.start();
    await done;
    for (let beat = 0; beat < 5; beat++) {
      const condition = { type: 'Ready', status: 'True', lastHeartbeatTime: `2026-01-01T00:00:0${beat}Z` };
      const status = { conditions: [condition] };
      await datastore.mergePatch(nodes, { name: 'b' }, { status }, { subresource: 'status' });
    }
    await datastore.create(services, service('s'));
    done = next.promise;
    const annotations = { [nodeAnnotations.ipv4Address]: '10.0.0.3/24' };
    await datastore.mergePatch(nodes, { name: 'b' }, { metadata: { annotations } });
    await done;
    assert.equal(computed, 2);
    done = next.promise;
    await datastore.create(bgpConfigurations, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { serviceClusterIPs: [{ cidr: '10.96.0.0/12' }] },
    });
    await done;
    done = next.promise;
    await datastore.create(services, service('t'));
    await done;
    assert.equal(computed, 4);
  } finally {
    await agent.stop();
    rmSync(folder, { recursive: true });
  }
});
