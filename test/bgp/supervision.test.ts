// BIRD's life under the agent: missing, outliving its agent, and reflecting routes for others; one of two reflectors gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { BirdSupervisor } from '../../src/bgp/bird/supervisor.ts';
import { birdAdvertised, birdStatus, readBgpReport } from '../../src/bgp/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { bgpConfigurations, bgpPeers, nodes } from '../../src/resources/index.ts';
import { withoutDescriptors } from '../faults/descriptors.ts';
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

test('a BIRD that dies of its start is told with its last words, and does not end the agent', async () => {
  await using lab = await BgpLab.make('dying', 1);
  const program = join(mkdtempSync(join(tmpdir(), 'calico-bird-')), 'bird');
  writeFileSync(program, '#!/bin/sh\necho "no room left" >&2\nexit 3\n', { mode: 0o755 });
  try {
    lab.startAgents(['node-1'], program);
    await lab.until('the trouble is reported', async () => {
      return (
        readBgpReport(lab.paths('node-1').report)?.trouble === 'BIRD ended with exit code 3: no room left'
      );
    });
    // Its agent tries again by itself.
    writeFileSync(`${program}.new`, lab.birdProgram('node-1'), { mode: 0o755 });
    renameSync(`${program}.new`, program);
    await lab.until('BIRD runs', async () => (await lab.status('node-1')).daemon.version !== '');
    await lab.until('the trouble is over', async () => {
      return readBgpReport(lab.paths('node-1').report)?.trouble === undefined;
    });
  } finally {
    rmSync(dirname(program), { recursive: true });
  }
});

test('a BIRD for which no file descriptor is left is told, and started when there are some', async () => {
  await using lab = await BgpLab.make('scarce', 1);
  const paths = lab.paths('node-1');
  const folder = mkdtempSync(join(tmpdir(), 'calico-bird-'));
  const program = join(folder, 'bird');
  writeFileSync(program, lab.birdProgram('node-1'), { mode: 0o755 });
  const log = createLogger('test', 'silent');
  const start = (onTrouble: (trouble: string | undefined) => void) => {
    const supervisor = new BirdSupervisor({
      program,
      paths,
      log,
      hasRoutesToRecover: () => false,
      onTrouble,
    });
    supervisor.apply('router id 10.0.0.1;\nprotocol device {}\n');
    return supervisor;
  };
  try {
    const troubles: string[] = [];
    for (const spare of [0, 1, 2, 3]) {
      await withoutDescriptors(spare, async () => {
        const told = Promise.withResolvers<string>();
        const supervisor = start((trouble) => told.resolve(trouble ?? 'none'));
        troubles.push(await told.promise);
        supervisor.abandon();
      });
    }
    assert.ok(
      troubles.every((trouble) => /EMFILE/.test(trouble)),
      troubles.join('\n'),
    );
    assert.ok(troubles.some((trouble) => /^Cannot start BIRD \(.*no file descriptor left/.test(trouble)));
    const told = Promise.withResolvers<string | undefined>();
    const supervisor = await withoutDescriptors(1, async () => {
      const starting = start(told.resolve);
      assert.match((await told.promise) ?? '', /EMFILE/);
      return starting;
    });
    try {
      await lab.until('BIRD runs', async () => {
        return (await birdStatus(paths.socket)).daemon.routerId === '10.0.0.1';
      });
      await lab.until('the trouble is over', async () => supervisor.trouble === undefined);
    } finally {
      await supervisor.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a BIRD that dies after it has refused a configuration comes back with the one that it had', async () => {
  await using lab = await BgpLab.make('refused', 1);
  const paths = lab.paths('node-1');
  const folder = mkdtempSync(join(tmpdir(), 'calico-bird-'));
  const program = join(folder, 'bird');
  writeFileSync(program, lab.birdProgram('node-1'), { mode: 0o755 });
  const log = createLogger('test', 'silent');
  const supervisor = new BirdSupervisor({
    program,
    paths,
    log,
    hasRoutesToRecover: () => false,
    onTrouble: () => {},
  });
  const good = (id: string) => `router id ${id};\nprotocol device {}\n`;
  const runs = (id: string) => async () => (await birdStatus(paths.socket)).daemon.routerId === id;
  try {
    supervisor.apply(good('10.0.0.1'));
    await lab.until('BIRD runs', runs('10.0.0.1'));
    supervisor.apply('this is no configuration');
    const isRefused = async () => supervisor.trouble?.startsWith('BIRD keeps its old configuration') === true;
    await lab.until('the refusal is told', isRefused);
    const pid = Number(readFileSync(paths.pid, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await lab.until('another BIRD runs', async () => {
      return Number(readFileSync(paths.pid, 'utf8')) !== pid && (await runs('10.0.0.1')());
    });
    await lab.until('the refusal is told still', isRefused);
    supervisor.apply(good('10.0.0.2'));
    await lab.until('the next configuration is taken', runs('10.0.0.2'));
    await lab.until('the trouble is over', async () => supervisor.trouble === undefined);
  } finally {
    await supervisor.stop();
    rmSync(folder, { recursive: true });
  }
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
  const told = await birdAdvertised(lab.paths('node-1').socket);
  const mesh = `Mesh_${lab.address('node-2').replaceAll('.', '_')}`;
  assert.deepEqual(told.get(mesh), [blockOf(1)], 'what it tells is known per session that is up');
  assert.equal(told.has('Global_172_30_0_99'), false);
  assert.deepEqual(readBgpReport(lab.paths('node-1').report)?.faults, [
    {
      object: 'BGPPeer "rack"',
      sentence: 'its filter "missing" does not exist; no route passes its sessions',
    },
  ]);
});

test('twelve nodes know their ways by two reflectors, and lose no way and no packet when one of these is gone', async () => {
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
  // From one end of the cluster to the other, by blocks that both know from reflectors alone.
  for (const number of [3, 14]) {
    const address = `192.168.${number}.1/32`;
    await lab.inside(`node-${number}`, 'ip', ['address', 'add', address, 'dev', 'lo']);
  }
  using flow = await startFlow(lab, { from: ['node-3', '192.168.3.1'], to: ['node-14', '192.168.14.1'] });
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
  const { sent, answered } = await flow.end();
  assert.ok(sent >= 200, `${sent} packets`);
  assert.equal(answered, sent);
});

/** A datagram every 5 ms to a port that sends each back. It ends when it has waited for the last answer. */
async function startFlow(
  lab: BgpLab,
  { from, to }: Readonly<Record<'from' | 'to', readonly [node: string, address: string]>>,
) {
  const echo = `
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (data, { port, address }) => socket.send(data, port, address));
    socket.bind(7, '${to[1]}', () => console.log('up'));`;
  const probe = `
    const socket = require('node:dgram').createSocket('udp4');
    let sent = 0;
    const answers = new Set();
    const finish = () => { console.log(JSON.stringify({ sent, answered: answers.size })); process.exit(); };
    socket.on('message', (data) => { if (answers.add(String(data)).size === sent && process.exitCode === 0) finish(); });
    socket.bind(0, '${from[1]}', () => {
      let isOver = false;
      process.on('SIGTERM', () => { isOver = true; });
      const timer = setInterval(() => {
        socket.send(String(sent++), 7, '${to[1]}');
        if (!isOver || sent < 200) return;
        clearInterval(timer);
        process.exitCode = 0;
        setTimeout(finish, 3_000);
      }, 5);
      console.log('up');
    });`;
  const children = [];
  for (const [node, program] of [
    [to[0], echo],
    [from[0], probe],
  ] as const) {
    const child = lab.spawnInside(node, process.execPath, ['-e', program]);
    assert.ok(child.stdout);
    await once(child.stdout, 'data');
    children.push(child);
  }
  const [echoing, probing] = children;
  return {
    end: async (): Promise<{ sent: number; answered: number }> => {
      assert.ok(probing?.stdout);
      const said = text(probing.stdout);
      probing.kill('SIGTERM');
      return JSON.parse(await said);
    },
    [Symbol.dispose]: () => {
      probing?.kill('SIGKILL');
      echoing?.kill();
    },
  };
}
