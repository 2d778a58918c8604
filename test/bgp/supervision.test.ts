// BIRD's life under the agent: missing, outliving its agent, and reflecting routes for others; one of two reflectors gone.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { readBgpReport } from '../../src/bgp/index.ts';
import { bgpConfigurations, bgpPeers, nodes } from '../../src/resources/index.ts';
import { BgpLab, blockOf } from './bgp-lab.ts';
import { configuration, peer } from './test-cluster.ts';

test('a missing BIRD is said with its remedy, and does not end the agent', async () => {
  await using lab = await BgpLab.make('missing', 1);
  lab.startAgents(['node-1'], 'no-such-bird');
  await lab.until('the trouble is reported', async () => {
    return readBgpReport(lab.paths('node-1').report)?.trouble !== undefined;
  });
  const trouble = readBgpReport(lab.paths('node-1').report)?.trouble ?? '';
  assert.match(trouble, /^Cannot start BIRD: there is no program ".*no-such-bird"; install BIRD 2/);
});

test('a BIRD that outlives its agent is taken over by the next one, with its sessions; faults and files are kept as they should', async () => {
  await using lab = await BgpLab.make('adopted', 2);
  lab.startAgents();
  await lab.established();
  const before = await lab.status('node-1');
  const pid = readFileSync(lab.paths('node-1').pid, 'utf8');
  assert.equal(
    statSync(lab.paths('node-1').configuration).mode & 0o777,
    0o600,
    'passwords are for nobody else',
  );

  lab.abandonAgent('node-1');
  await lab.datastore.create(
    bgpPeers,
    peer({ peerIP: '172.30.0.99', asNumber: 65001, filters: ['missing'] }, 'rack'),
  );
  lab.startAgents(['node-1']);
  await lab.until('the new agent has configured BIRD', async () => {
    return (await lab.status('node-1')).sessions.some(({ peer: address }) => address === '172.30.0.99');
  });
  assert.equal(readFileSync(lab.paths('node-1').pid, 'utf8'), pid);
  const after = await lab.status('node-1');
  for (const { name, since } of before.sessions) {
    assert.deepEqual(
      after.sessions.find((session) => session.name === name)?.since,
      since,
      `${name} was not dropped`,
    );
  }
  assert.deepEqual(readBgpReport(lab.paths('node-1').report)?.faults, [
    {
      object: 'BGPPeer "rack"',
      sentence: 'its filter "missing" does not exist; no route passes its sessions',
    },
  ]);
});

test('twelve nodes know their ways by two reflectors, and lose none when one of these is gone', async () => {
  await using lab = await BgpLab.make('reflect', 14);
  const { datastore, names } = lab;
  await datastore.create(bgpConfigurations, configuration({ nodeToNodeMeshEnabled: false }));
  for (const name of names.slice(0, 2)) {
    const annotations = { 'projectcalico.org/RouteReflectorClusterID': '244.0.0.1' };
    await datastore.mergePatch(nodes, { name }, { metadata: { annotations, labels: { reflector: '' } } });
  }
  await datastore.create(
    bgpPeers,
    peer({ nodeSelector: 'all()', peerSelector: 'has(reflector)' }, 'reflectors'),
  );
  lab.startAgents();
  await lab.established();
  const clients = names.slice(2);
  const missing = async () => {
    const lacking: string[] = [];
    for (const name of clients) {
      const known = new Set((await lab.kernelRoutes(name)).map(({ dst }) => dst));
      for (const index of names.keys())
        if (!known.has(blockOf(index + 1))) lacking.push(`${name}: ${blockOf(index + 1)}`);
    }
    return lacking;
  };
  await lab.until('every node has a way to every block', async () => (await missing()).length === 0);
  using watched = lab.watchDeletions(clients);
  lab.abandonAgent('node-1');
  process.kill(Number(readFileSync(lab.paths('node-1').pid, 'utf8')), 'SIGKILL');
  await lab.until('its clients have seen it go', async () => {
    const { sessions } = await lab.status('node-14');
    return sessions.some(
      ({ peer: address, state }) => address === lab.address('node-1') && state !== 'Established',
    );
  });
  assert.deepEqual(await missing(), []);
  assert.deepEqual(watched.deletions(), []);
});
