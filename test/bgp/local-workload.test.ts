// A pod that speaks BGP with its node: a real GoBGP in it, behind the gateway that every pod has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bgpConfigurations, bgpPeers, pods } from '../../src/resources/index.ts';
import { BgpLab, blockOf } from './bgp-lab.ts';
import { configuration, peer } from './test-cluster.ts';

test('a pod tells its node of routes, which other nodes learn; it is heard at the address that is set aside, as long as it peers', async () => {
  await using lab = await BgpLab.make('workload', 2);
  const { datastore } = lab;
  const hears = '169.254.0.179';
  const [address, network] = ['192.168.1.5', '10.77.0.0/24'];
  await datastore.create(bgpConfigurations, configuration({ localWorkloadPeeringIPV4: hears }));
  await datastore.create(
    bgpPeers,
    peer({ localWorkloadSelector: 'app == "router"', asNumber: 65100 }, 'pods'),
  );
  await datastore.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'router', namespace: 'shop', labels: { app: 'router' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'router', image: 'any' }] },
  });
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } as const;
  const place = { namespace: 'shop', name: 'router' };
  await datastore.mergePatch(pods, place, { status }, { subresource: 'status' });
  const router = await lab.startRouterInPod('node-1', {
    address,
    hears,
    asNumber: 65100,
    networks: [network],
  });
  lab.startAgents();
  await lab.established();
  const routeOf = async (node: string) => (await lab.kernelRoutes(node)).find(({ dst }) => dst === network);
  await lab.until('the pod has a session with its node', async () => {
    const { sessions } = await lab.status('node-1');
    return sessions.some(({ kind, state }) => kind === 'Local_Workload' && state === 'Established');
  });
  await lab.until('its node routes to it', async () => (await routeOf('node-1'))?.gateway === address);
  await lab.until('the pod has heard of the other node’s block', async () => {
    return (await router.routes(4)).some(({ destination }) => destination === blockOf(2));
  });
  const loopback = () => lab.inside('node-1', 'ip', ['-4', 'address', 'show', 'dev', 'lo']);
  assert.match(await loopback(), /inet 169\.254\.0\.179\/32/);
  assert.doesNotMatch(await lab.inside('node-2', 'ip', ['-4', 'address', 'show', 'dev', 'lo']), /169\.254/);

  await datastore.delete(bgpPeers, { name: 'pods' });
  await lab.until('nobody is heard there any more', async () => !(await loopback()).includes(hears));
  await lab.until('the route is gone', async () => (await routeOf('node-1')) === undefined);
});
