// BGP with routers that no one here wrote, FRR and GoBGP: real sessions, both families, in namespaces.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import type { ExternalRouter, RouterKind } from '../../src/lab/router/index.ts';
import {
  bgpConfigurations,
  bgpFilters,
  bgpPeers,
  endpointSlices,
  nodes,
  secrets,
  services,
} from '../../src/resources/index.ts';
import { BgpLab, blockOf, sixBlockOf, sixOf } from './bgp-lab.ts';
import { configuration, filter, peer, secret } from './test-cluster.ts';

const asNumber = 64600;

/** What the router has heard of one destination, a line for each path. */
async function heard(router: ExternalRouter, destination: string): Promise<string[]> {
  const routes = await router.routes(destination.includes(':') ? 6 : 4);
  const lines = routes
    .filter((route) => route.destination === destination)
    .map(({ nextHops, path, communities }) =>
      [nextHops.join('+'), path.join('-'), communities.join(',')].join(' '),
    );
  return lines.sort();
}

async function routed(lab: BgpLab, node: string, destination: string) {
  const routes = await lab.kernelRoutes(node, destination.includes(':') ? 6 : 4);
  return routes.find(({ dst }) => dst === destination);
}

/** Peers every node with the router over both families. */
async function peerWithRouter(lab: BgpLab, spec: Parameters<typeof peer>[0], name = 'tor'): Promise<void> {
  const [four, six] = lab.routerAddresses;
  await lab.datastore.create(bgpPeers, peer({ peerIP: four, ...spec }, `${name}-4`));
  await lab.datastore.create(bgpPeers, peer({ peerIP: six, ...spec }, `${name}-6`));
}

for (const kind of ['frr', 'gobgp'] as const satisfies RouterKind[]) {
  test(`${kind}: eBGP over both families with MD5 passwords, communities and filters both ways`, async () => {
    await using lab = await BgpLab.make(`e${kind}`, 2);
    const { datastore } = lab;
    await datastore.create(secrets, secret('bgp', { tor: 'open sesame'.replace(' ', '-') }));
    const advertised = configuration({
      communities: [{ name: 'pods', value: '64512:100' }],
      prefixAdvertisements: [
        { cidr: '192.168.0.0/16', communities: ['pods', '64512:1:2'] },
        { cidr: 'fd10::/48', communities: ['pods'] },
      ],
    });
    await datastore.create(bgpConfigurations, advertised);
    const rules = filter(
      {
        importV4: [
          { action: 'Reject', cidr: '10.201.0.0/24', matchOperator: 'Equal' },
          {
            action: 'Accept',
            cidr: '10.202.0.0/24',
            matchOperator: 'In',
            operations: [{ setPriority: { value: 77 } }],
          },
        ],
        exportV4: [
          { action: 'Reject', source: 'RemotePeers' },
          { action: 'Reject', cidr: blockOf(2), matchOperator: 'In' },
          {
            action: 'Accept',
            cidr: '192.168.0.0/16',
            matchOperator: 'In',
            peerType: 'eBGP',
            operations: [
              { addCommunity: { value: '64512:200' } },
              { prependASPath: { prefix: [65001, 65002] } },
            ],
          },
        ],
        importV6: [{ action: 'Reject', cidr: 'fd99::/64', matchOperator: 'In' }],
        exportV6: [{ action: 'Reject', source: 'RemotePeers' }],
      },
      'tor',
    );
    await datastore.create(bgpFilters, rules);
    const password = { secretKeyRef: { name: 'bgp', key: 'tor' } };
    await peerWithRouter(lab, { asNumber, password, filters: ['tor'] });
    const networks = ['10.200.0.0/24', '10.201.0.0/24', '10.202.0.0/24', 'fd98::/64', 'fd99::/64'];
    const router = await lab.startRouter(kind, { asNumber, networks, password: 'open-sesame' });
    lab.startAgents();
    await lab.established();
    assert.deepEqual(
      (await router.sessions()).map(({ isEstablished }) => isEstablished),
      [true, true, true, true],
    );

    const [one, two] = lab.names.map((name) => lab.address(name));
    await lab.until(
      'the router has heard of the first block',
      async () => (await heard(router, blockOf(1))).length > 0,
    );
    await lab.until(
      'the router has heard of both IPv6 blocks',
      async () => (await heard(router, sixBlockOf(2))).length > 0,
    );
    assert.deepEqual(await heard(router, blockOf(1)), [
      `${one} 64512-65001-65002 64512:100,64512:200,64512:1:2`,
    ]);
    assert.deepEqual(await heard(router, blockOf(2)), [], 'an export filter keeps it back');
    assert.deepEqual(await heard(router, sixBlockOf(2)), [`${sixOf(two ?? '')} 64512 64512:100`]);

    for (const node of lab.names) {
      await lab.until(`${node} has a way to 10.202.0.0/24`, async () =>
        Boolean(await routed(lab, node, '10.202.0.0/24')),
      );
      await lab.until(`${node} has a way to fd98::/64`, async () =>
        Boolean(await routed(lab, node, 'fd98::/64')),
      );
      const [four] = lab.routerAddresses;
      const shown = async (destination: string) => {
        const route = await routed(lab, node, destination);
        return route && [route.gateway, route.protocol, route.metric];
      };
      assert.deepEqual(await shown('10.200.0.0/24'), [four, 'bird', 1024]);
      assert.deepEqual(
        await shown('10.202.0.0/24'),
        [four, 'bird', 77],
        'an import filter sets the priority',
      );
      // FRR names its link-local address as next hop besides, and BIRD prefers that (RFC 2545).
      assert.deepEqual((await shown('fd98::/64'))?.slice(1), ['bird', 1024]);
      assert.equal(await routed(lab, node, '10.201.0.0/24'), undefined, 'an import filter keeps it out');
      assert.equal(await routed(lab, node, 'fd99::/64'), undefined, 'an import filter keeps it out');
    }
    const own = await routed(lab, 'node-1', blockOf(1));
    assert.deepEqual(
      [own?.type, own?.protocol],
      ['blackhole', 'bird'],
      'the own block is closed behind its pods',
    );
    assert.equal(
      (await routed(lab, 'node-1', blockOf(2)))?.gateway,
      two,
      'the mesh tells of the other block',
    );

    // A Secret that changes restarts its sessions and no others.
    const before = await lab.status('node-1');
    const mesh = before.sessions.find(({ name }) => name.startsWith('Mesh'));
    const stored = await datastore.get(secrets, { namespace: 'kube-system', name: 'bgp' });
    await datastore.update(secrets, { ...stored, data: { tor: Buffer.from('wrong').toString('base64') } });
    await lab.until('the session with the router is down', async () => {
      const { sessions } = await lab.status('node-1');
      return sessions.some(({ kind: of, state }) => of === 'Global' && state !== 'Established');
    });
    const during = await lab.status('node-1');
    assert.deepEqual(during.sessions.find(({ name }) => name === mesh?.name)?.since, mesh?.since);
    const current = await datastore.get(secrets, { namespace: 'kube-system', name: 'bgp' });
    await datastore.update(secrets, { ...current, data: stored.data ?? {} });
    await lab.established();
  });

  test(`${kind}: iBGP, where paths stay empty`, async () => {
    await using lab = await BgpLab.make(`i${kind}`, 1);
    await peerWithRouter(lab, { asNumber: 64512 });
    const router = await lab.startRouter(kind, { asNumber: 64512, networks: ['10.200.0.0/24'] });
    lab.startAgents();
    await lab.established();
    await lab.until(
      'the router has heard of the block',
      async () => (await heard(router, blockOf(1))).length > 0,
    );
    assert.deepEqual(await heard(router, blockOf(1)), [`${lab.address('node-1')}  `]);
    await lab.until('the node has a way to 10.200.0.0/24', async () =>
      Boolean(await routed(lab, 'node-1', '10.200.0.0/24')),
    );
  });
}

test('frr: a BIRD that is killed comes back, and no kernel loses the ways between nodes and from the router to them', async () => {
  await using lab = await BgpLab.make('graceful', 2);
  await peerWithRouter(lab, { asNumber });
  const router = await lab.startRouter('frr', { asNumber, networks: ['10.200.0.0/24'] });
  lab.startAgents();
  await lab.established();
  const isKnown = async (place: string, destination: string) =>
    Boolean(await routed(lab, place, destination));
  await lab.until('the router routes to the block', () => isKnown('tor', blockOf(1)));
  await lab.until('node-1 routes behind the router', () => isKnown('node-1', '10.200.0.0/24'));
  await lab.until('node-2 routes to the block', () => isKnown('node-2', blockOf(1)));
  using watched = lab.watchDeletions(['tor', 'node-1', 'node-2']);

  const pid = Number(await lab.inside('node-1', 'cat', [lab.paths('node-1').pid]));
  process.kill(pid, 'SIGKILL');
  await lab.until(
    'another BIRD runs',
    async () => Number(await lab.inside('node-1', 'cat', [lab.paths('node-1').pid])) !== pid,
  );
  await lab.established();
  await lab.until('BIRD has recovered', async () => !(await lab.status('node-1')).daemon.isRecovering);
  await lab.until(
    'the router has heard of the block anew',
    async () => (await heard(router, blockOf(1))).length > 0,
  );
  assert.deepEqual(watched.deletions(), []);

  await lab.stopAgent('node-2');
  assert.ok(await isKnown('node-2', blockOf(1)), 'routes stay when calico-node stops');
  assert.ok(await isKnown('tor', blockOf(2)), 'the router keeps the routes of a node that restarts');
  lab.startAgents(['node-2']);
  await lab.established();
  assert.deepEqual(watched.deletions(), []);
});

test('gobgp: the router keeps the routes of a BIRD that restarts, for as long as was agreed', async () => {
  await using lab = await BgpLab.make('stale', 1);
  await peerWithRouter(lab, { asNumber });
  const router = await lab.startRouter('gobgp', { asNumber, networks: ['10.200.0.0/24'] });
  lab.startAgents();
  await lab.established();
  const isHeard = async () => (await heard(router, blockOf(1))).length > 0;
  const isUp = async () => (await router.sessions()).every(({ isEstablished }) => isEstablished);
  await lab.until('the router has heard of the block', isHeard);
  await lab.until('the node routes behind the router', async () =>
    Boolean(await routed(lab, 'node-1', '10.200.0.0/24')),
  );
  using watched = lab.watchDeletions(['node-1']);

  await lab.stopAgent('node-1');
  await lab.until('the router has seen the sessions go', async () => !(await isUp()));
  assert.ok(await isHeard(), 'the router keeps the route');
  assert.ok(await routed(lab, 'node-1', '10.200.0.0/24'), 'the node keeps the router’s');
  lab.startAgents();
  await lab.established();
  await lab.until('the router has the sessions back', isUp);
  await lab.until('the node has recovered', async () => !(await lab.status('node-1')).daemon.isRecovering);
  assert.ok(await isHeard());
  assert.ok(await routed(lab, 'node-1', '10.200.0.0/24'));
  assert.deepEqual(watched.deletions(), []);
});

test('frr: a service address is reached from behind the router over all nodes, and over those that are left', async () => {
  await using lab = await BgpLab.make('service', 3);
  const { datastore } = lab;
  const address = '10.96.0.10';
  await datastore.create(bgpConfigurations, configuration({ serviceClusterIPs: [{ cidr: '10.96.0.0/12' }] }));
  await datastore.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'NodePort', clusterIP: address, externalTrafficPolicy: 'Local' },
  });
  await datastore.create(endpointSlices, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: ['node-1', 'node-2'].map((nodeName) => ({
      addresses: ['192.168.1.9'],
      nodeName,
      conditions: { ready: true },
    })),
  });
  await peerWithRouter(lab, { asNumber });
  await lab.startRouter('frr', { asNumber, networks: ['10.200.0.0/24'] });
  await lab.addClient();
  lab.startAgents();
  await lab.established();
  using _answering = await answerOnNodes(lab, address);

  const hopsTo = async (destination: string) => {
    const route = await routed(lab, 'tor', destination);
    return (route?.nexthops ?? (route ? [{ gateway: route.gateway ?? '' }] : []))
      .map(({ gateway }) => gateway)
      .sort();
  };
  const addresses = lab.names.map((name) => lab.address(name));
  await lab.until('the router spreads the address over the nodes with endpoints', async () => {
    return (await hopsTo(address)).join() === addresses.slice(0, 2).join();
  });
  assert.deepEqual(await hopsTo('10.96.0.0/12'), addresses, 'the range is told by every node');
  for (const name of lab.names) {
    assert.equal(
      await routed(lab, name, '10.96.0.0/12'),
      undefined,
      'no node writes services into its kernel',
    );
    await lab.until(`${name} knows the way back`, async () =>
      Boolean(await routed(lab, name, '10.200.0.0/24')),
    );
  }
  assert.deepEqual(await whoAnswers(lab, address), ['node-1', 'node-2']);

  // Withdrawn by its label, and then by its end.
  const label = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
  await datastore.mergePatch(nodes, { name: 'node-1' }, { metadata: { labels: label } });
  await lab.until(
    'the router has dropped the withdrawn node',
    async () => (await hopsTo(address)).join() === addresses[1],
  );
  assert.deepEqual(await hopsTo('10.96.0.0/12'), addresses.slice(1));
  assert.deepEqual(await whoAnswers(lab, address), ['node-2']);
});

/** On each node a server at the address that answers with the node's name, as a kube-proxy would lead to one. */
async function answerOnNodes(lab: BgpLab, address: string): Promise<Disposable> {
  const children: ChildProcess[] = [];
  for (const name of lab.names) {
    await lab.inside(name, 'ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
    const program = `require('node:net').createServer((s) => s.end('${name}')).listen(80, '${address}', () => console.log('up'))`;
    const child = lab.spawnInside(name, process.execPath, ['-e', program]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    children.push(child);
  }
  return {
    [Symbol.dispose]: () => {
      for (const child of children) child.kill();
    },
  };
}

/** Names of the nodes that 60 connections from behind the router end at. */
async function whoAnswers(lab: BgpLab, address: string): Promise<string[]> {
  const program = `
    const { connect } = require('node:net');
    const one = () => new Promise((resolve) => {
      let text = '';
      connect(80, '${address}').on('data', (d) => { text += d; }).on('close', () => resolve(text)).on('error', (e) => { text = e.code; });
    });
    Promise.all(Array.from({ length: 60 }, one)).then((all) => console.log([...new Set(all)].sort().join(' ')));`;
  return (await lab.inside('client', process.execPath, ['-e', program])).trim().split(' ');
}
