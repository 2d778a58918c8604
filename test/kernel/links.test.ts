import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addBridge,
  addVeth,
  addVxlan,
  deleteLink,
  deleteLinkGroup,
  Rtnetlink,
  setLink,
} from '../../src/kernel/index.ts';
import { ip, ipJson, testNamespace } from './test-namespaces.ts';

const host = testNamespace('host');
const pod = testNamespace('pod');
const onHost = Rtnetlink.open({ namespace: host.fd });
const inPod = Rtnetlink.open({ namespace: pod.fd });

test('a veth is made with both ends, in two namespaces, in one message', () => {
  onHost.apply(
    addVeth({
      name: 'cali1',
      mac: 'ee:ee:ee:ee:ee:ee',
      mtu: 1450,
      up: true,
      peer: { name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1450, namespace: pod.fd },
    }),
  );
  const [hostEnd] = ipJson(host, '-d', 'link', 'show', 'cali1');
  const [podEnd] = ipJson(pod, '-d', 'link', 'show', 'eth0');
  assert.equal(hostEnd?.address, 'ee:ee:ee:ee:ee:ee');
  assert.equal(hostEnd?.mtu, 1450);
  assert.equal(hostEnd?.num_tx_queues, 1);
  assert.ok((hostEnd?.flags as string[] | undefined)?.includes('UP'));
  assert.equal(podEnd?.address, '02:00:00:00:00:01');
  assert.equal(podEnd?.mtu, 1450);
  assert.deepEqual(podEnd?.linkinfo, { info_kind: 'veth' });

  const link = inPod.link('eth0');
  assert.equal(link?.peer, hostEnd?.ifindex);
  assert.equal(link?.up, false);
  inPod.apply(setLink('eth0', { up: true }));
  assert.equal(inPod.link('eth0')?.up, true);
  assert.equal(onHost.link('cali1')?.carrier, true);
});

test('links that ip made are listed with all that is known of them', () => {
  ip(host, 'link', 'add', 'br0', 'address', '02:00:00:00:00:b0', 'type', 'bridge');
  ip(host, 'link', 'add', 'port0', 'mtu', '1400', 'group', '7', 'type', 'veth', 'peer', 'name', 'port1');
  ip(host, 'link', 'set', 'port0', 'master', 'br0', 'up');
  ip(
    host,
    'link',
    'add',
    'vx0',
    'type',
    'vxlan',
    'id',
    '77',
    'local',
    '10.0.0.1',
    'dstport',
    '4790',
    'dev',
    'br0',
  );
  ip(
    host,
    'link',
    'add',
    'vx6',
    'type',
    'vxlan',
    'id',
    '78',
    'local',
    'fd00::1',
    'dstport',
    '4791',
    'nolearning',
  );
  const links = new Map(onHost.links().map((link) => [link.name, link]));
  const bridge = links.get('br0');
  assert.equal(bridge?.kind, 'bridge');
  assert.equal(bridge?.mac, '02:00:00:00:00:b0');
  assert.equal(links.get('port0')?.master, bridge?.index);
  assert.equal(links.get('port0')?.peer, links.get('port1')?.index);
  assert.equal(links.get('port0')?.mtu, 1400);
  assert.equal(links.get('port0')?.group, 7);
  assert.deepEqual(links.get('vx0')?.vxlan, {
    vni: 77,
    port: 4790,
    local: '10.0.0.1',
    parent: bridge?.index,
    learning: true,
  });
  assert.deepEqual(links.get('vx6')?.vxlan, { vni: 78, port: 4791, local: 'fd00::1', learning: false });
  assert.equal(links.get('lo')?.kind, undefined);
});

test('bridges and VXLAN devices made here are as ip sees them', () => {
  onHost.apply(addBridge({ name: 'br1', mtu: 1300, up: true }));
  const parent = onHost.link('br1')?.index;
  assert.ok(parent);
  onHost.apply(
    addVxlan({
      name: 'vxlan.calico',
      vni: 4096,
      port: 4789,
      local: '10.0.0.2',
      parent,
      learning: false,
      mac: '66:00:00:00:00:02',
    }),
  );
  const [bridge] = ipJson(host, '-d', 'link', 'show', 'br1');
  assert.equal(bridge?.mtu, 1300);
  const [vxlan] = ipJson(host, '-d', 'link', 'show', 'vxlan.calico');
  assert.equal(vxlan?.address, '66:00:00:00:00:02');
  assert.ok(vxlan);
  const { info_kind, info_data } = vxlan.linkinfo as {
    info_kind: string;
    info_data: Record<string, unknown>;
  };
  assert.equal(info_kind, 'vxlan');
  assert.equal(info_data.id, 4096);
  assert.equal(info_data.port, 4789);
  assert.equal(info_data.local, '10.0.0.2');
  assert.equal(info_data.link, 'br1');
  assert.equal(info_data.learning, false);
});

test('a link is changed in every respect, and moved to another namespace', () => {
  ip(host, 'link', 'add', 'old', 'type', 'veth', 'peer', 'name', 'other');
  ip(host, 'link', 'add', 'br2', 'type', 'bridge');
  const index = onHost.link('old')?.index;
  const master = onHost.link('br2')?.index;
  assert.ok(index && master);
  onHost.apply(
    setLink(index, { name: 'new', mtu: 1234, mac: '02:00:00:00:00:99', master, group: 12, up: true }),
  );
  const [changed] = ipJson(host, 'link', 'show', 'new');
  assert.equal(changed?.mtu, 1234);
  assert.equal(changed?.address, '02:00:00:00:00:99');
  assert.equal(changed?.master, 'br2');
  assert.equal(changed?.group, '12');
  onHost.apply(setLink('new', { master: 0, up: false }));
  assert.equal(onHost.link('new')?.master, undefined);
  onHost.apply(setLink('new', { namespace: pod.fd }));
  assert.equal(onHost.link('new'), undefined);
  assert.equal(inPod.link('new')?.mac, '02:00:00:00:00:99');
});

test('a link keeps a note, which others see and an empty one removes', () => {
  onHost.apply(addVeth({ name: 'noted', queues: 3, peer: { name: 'peer-noted' } }));
  onHost.apply(setLink('noted', { alias: 'network container eth0' }));
  const [seen] = ipJson(host, '-d', 'link', 'show', 'noted');
  assert.equal(seen?.ifalias, 'network container eth0');
  assert.equal(seen?.num_rx_queues, 3);
  assert.equal(onHost.link('noted')?.alias, 'network container eth0');
  assert.equal(onHost.links().find(({ name }) => name === 'noted')?.alias, 'network container eth0');
  onHost.apply(setLink('noted', { alias: '' }));
  assert.equal(onHost.link('noted')?.alias, undefined);
  onHost.apply(deleteLink('noted'));
});

test('a link that is not there is undefined to look up, refused to delete, and nothing to ensure', () => {
  assert.equal(onHost.link('none'), undefined);
  assert.equal(onHost.link(9999), undefined);
  assert.throws(() => onHost.apply(deleteLink('none')), {
    code: 'ENODEV',
    message: 'Cannot delete link "none": ENODEV',
  });
  assert.equal(onHost.ensure(deleteLink('none')), false);
});

test("a refusal carries the kernel's own words", () => {
  onHost.apply(addVxlan({ name: 'first', vni: 5, port: 5000, learning: false }));
  assert.throws(() => onHost.apply(addVxlan({ name: 'second', vni: 5, port: 5000, learning: false })), {
    code: 'EEXIST',
    message:
      'Cannot add VXLAN device "second": EEXIST (A VXLAN device with the specified VNI already exists)',
  });
});

test('names and addresses that cannot be are refused before the kernel is asked', () => {
  assert.throws(
    () => onHost.apply(addBridge({ name: 'sixteen-bytes-xx' })),
    /"sixteen-bytes-xx" is not the name of a link/,
  );
  assert.throws(() => onHost.apply(addBridge({ name: 'br9', mac: '02:00' })), /"02:00" is not a MAC address/);
  assert.throws(() => setLink('br1', { name: 'br8' }), /use its index/);
  assert.throws(() => deleteLinkGroup(0), /every link/);
  onHost.apply(addBridge({ name: 'br9' }));
});

test('several changes in one send are made in order, and a refused one does not keep back the next', () => {
  const bad = setLink('none', { up: true });
  const refused = onHost.applyAll([addBridge({ name: 'many1' }), bad, addBridge({ name: 'many2' })]);
  assert.deepEqual(
    refused.map(({ change, error }) => [change, error.code]),
    [[bad, 'ENODEV']],
  );
  assert.ok(onHost.link('many1') && onHost.link('many2'));
  assert.deepEqual(onHost.ensureAll([addBridge({ name: 'many1' }), deleteLink('none')]), []);
});

test('a group of links is deleted at once', () => {
  for (const name of ['g1', 'g2', 'g3']) {
    onHost.apply(addVeth({ name, peer: { name: `${name}p` } }));
    onHost.apply(setLink(name, { group: 4242 }));
  }
  onHost.apply(deleteLinkGroup(4242));
  const left = onHost.links().filter((link) => link.name.startsWith('g'));
  assert.deepEqual(left, []);
});

test('deleting links asynchronously leaves the event loop free and answers for each', async () => {
  const names = Array.from({ length: 6 }, (_, i) => `async${i}`);
  for (const name of names) onHost.apply(addVeth({ name, peer: { name: `${name}p` } }));
  let turns = 0;
  let done = false;
  const spin = (): void => {
    turns++;
    if (!done) setImmediate(spin);
  };
  spin();
  const deleted = Promise.all([...names, 'none'].map((name) => onHost.ensureAsync(deleteLink(name))));
  // The same namespace takes synchronous requests meanwhile.
  assert.ok(onHost.link('lo'));
  assert.deepEqual(await deleted, [true, true, true, true, true, true, false]);
  done = true;
  // Had a deletion blocked the loop, it would have turned about once for each.
  assert.ok(turns > 50, `the event loop turned ${turns} times`);
  assert.equal(onHost.link('async0'), undefined);
});
