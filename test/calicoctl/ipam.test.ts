// The IPAM commands by the real program: what crashes and removed nodes leave behind is found, reported and repaired.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress, parseCidr } from '../../src/net/index.ts';
import {
  blockAffinities,
  clusterInformations,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
  ipPools,
  nodes,
  pods,
} from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

let cluster: ApiCluster;
let ipam: IpamClient;

beforeEach(async () => {
  cluster = await ApiCluster.start();
  ipam = new IpamClient(cluster.store);
  const apiVersion = 'projectcalico.org/v3';
  await cluster.store.create(clusterInformations, {
    apiVersion,
    kind: 'ClusterInformation',
    metadata: { name: 'default' },
    spec: { clusterGUID: 'abc' },
  });
  await cluster.store.create(ipPools, {
    apiVersion,
    kind: 'IPPool',
    metadata: { name: 'pool' },
    spec: { cidr: '10.1.0.0/24', blockSize: 29 },
  });
  for (const name of ['node-1', 'node-2']) {
    await cluster.store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
  }
});

afterEach(() => cluster[Symbol.asyncDispose]());

/** Assigns an address for a pod, which then exists or not. */
async function assign(pod: string, node: string, { exists }: { exists: boolean }): Promise<string> {
  const [address] = await ipam.autoAssign({
    node,
    handleId: `k8s-pod-network.${pod}`,
    attributes: { pod, namespace: 'default', node },
    count: { 4: 1 },
    use: 'Workload',
  });
  assert.ok(address);
  const text = formatAddress(address);
  if (exists) await createPod(pod, node, text);
  return text;
}

async function createPod(name: string, node: string, address: string): Promise<void> {
  await cluster.store.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'any' }] },
  });
  const status = { podIP: address, podIPs: [{ ip: address }] };
  await cluster.store.mergePatch(pods, { namespace: 'default', name }, { status }, { subresource: 'status' });
}

async function check(...options: string[]): Promise<{ report: string; stdout: string }> {
  const report = join(cluster.folder, `report-${options.length}-${process.hrtime.bigint()}.json`);
  const { stdout, stderr, code } = await cluster.run(['ipam', 'check', '-o', report, ...options]);
  assert.equal(code, 0, stderr);
  return { report, stdout };
}

async function release(...reports: string[]): Promise<string> {
  const { stdout, stderr, code } = await cluster.run([
    'ipam',
    'release',
    ...reports.flatMap((file) => ['--from-report', file]),
  ]);
  assert.equal(code, 0, stderr);
  return stdout;
}

test('show tells how full pools and blocks are, and whose an address is', async () => {
  const address = await assign('web', 'node-1', { exists: true });
  const { stdout } = await cluster.run(['ipam', 'show', '--show-blocks']);
  assert.match(stdout, /^\| IP Pool +\| 10\.1\.0\.0\/24 +\| +256 \| +1 \(0%\) \| +255 \(100%\) \|$/m);
  assert.match(stdout, /^\| Block +\| 10\.1\.0\.\d+\/29 +\| +8 \| +1 \(13%\) \| +7 \(88%\) \|$/m);
  const one = await cluster.run(['ipam', 'show', '--ip', address]);
  assert.match(one.stdout, new RegExp(`^IP ${address} is in use\n[\\s\\S]*  pod: web\n`));
  assert.match(
    (await cluster.run(['ipam', 'show', '--ip', '10.1.0.255'])).stdout,
    /^10\.1\.0\.255 is not assigned$/m,
  );
});

test('show names the addresses that a node borrowed', async () => {
  const [address] = await ipam.autoAssign({
    node: 'node-1',
    handleId: 'h',
    attributes: { pod: 'web', namespace: 'default', node: 'node-2' },
    count: { 4: 1 },
    use: 'Workload',
  });
  assert.ok(address);
  const { stdout } = await cluster.run(['ipam', 'show', '--show-borrowed']);
  assert.match(
    stdout,
    new RegExp(
      `\\| ${formatAddress(address)} +\\| node-2 +\\| 10\\.1\\.0\\.\\d+/29 +\\| node-1 +\\| pod +\\| default/web`,
    ),
  );
});

test('a healthy cluster has no problems', async () => {
  await assign('web', 'node-1', { exists: true });
  const { stdout } = await check('--show-all-ips');
  assert.match(stdout, /Checked 1 pool, 1 block, 2 nodes, 1 pod; 1 address is assigned/);
  assert.match(stdout, /Found no problems/);
});

test('a leaked address is found, released from the report, and its handle with it', async () => {
  const kept = await assign('web', 'node-1', { exists: true });
  const leaked = await assign('gone', 'node-1', { exists: false });
  const { report, stdout } = await check('--show-problem-ips');
  assert.match(stdout, new RegExp(`${leaked} k8s-pod-network.gone: pod "default/gone" does not exist`));
  assert.equal(await release(report), '1 leaked address released\n');
  const [block] = await cluster.store.list(ipamBlocks);
  assert.equal(block?.spec.unallocated.length, 7);
  assert.deepEqual(
    (await cluster.store.list(ipamHandles)).map(({ spec }) => spec.handleID),
    ['k8s-pod-network.web'],
  );
  assert.match((await cluster.run(['ipam', 'show', '--ip', kept])).stdout, /is in use/);
  assert.match((await check()).stdout, /Found no problems/);
});

test('an address that was assigned anew after the report is left alone, even with --force', async () => {
  const address = await assign('gone', 'node-1', { exists: false });
  const { report } = await check();
  await ipam.releaseByHandle('k8s-pod-network.gone');
  const again = {
    node: 'node-1',
    handleId: 'k8s-pod-network.gone',
    attributes: { pod: 'gone', namespace: 'default' },
  };
  const [family, value] = [
    4 as const,
    BigInt(address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)),
  ];
  await ipam.assignAddress({ ...again, address: { family, value } });
  const { stdout } = await cluster.run(['ipam', 'release', '--from-report', report, '--force']);
  assert.match(stdout, /^0 leaked addresses released; 1 had changed and was left alone$/m);
  assert.match((await cluster.run(['ipam', 'show', '--ip', address])).stdout, /is in use/);
});

test('an address whose pod came meanwhile is no longer a finding', async () => {
  const address = await assign('late', 'node-1', { exists: false });
  const { report } = await check();
  await createPod('late', 'node-1', address);
  assert.equal(await release(report), '1 finding had gone since the report\n');
  assert.match((await cluster.run(['ipam', 'show', '--ip', address])).stdout, /is in use/);
});

test('of several reports only what all of them found is repaired', async () => {
  await assign('gone-1', 'node-1', { exists: false });
  const first = await check();
  await assign('gone-2', 'node-1', { exists: false });
  const second = await check();
  assert.equal(await release(first.report, second.report), '1 leaked address released\n');
  assert.deepEqual(
    (await cluster.store.list(ipamHandles)).map(({ spec }) => spec.handleID),
    ['k8s-pod-network.gone-2'],
  );
});

test('a handle that counts what no block assigns is found and counted anew', async () => {
  await cluster.store.create(ipamHandles, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMHandle',
    metadata: { name: 'k8s-pod-network.ghost' },
    spec: { handleID: 'k8s-pod-network.ghost', block: { '10.1.0.0/29': 2 }, deleted: false },
  });
  const { report, stdout } = await check();
  assert.match(
    stdout,
    /1 handle counts what blocks do not assign \(leaked handle\)\n {2}k8s-pod-network\.ghost/,
  );
  assert.equal(await release(report), '1 handle counted anew\n');
  assert.deepEqual(await cluster.store.list(ipamHandles), []);
});

test('a half-claimed block is found: the claim is finished where the block is there, and else taken back', async () => {
  await assign('web', 'node-1', { exists: true });
  const [affinity] = await cluster.store.list(blockAffinities);
  assert.ok(affinity);
  await cluster.store.update(blockAffinities, { ...affinity, spec: { ...affinity.spec, state: 'pending' } });
  await cluster.store.create(blockAffinities, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'BlockAffinity',
    metadata: { name: 'node-2-10-1-0-248-29' },
    spec: { state: 'pending', node: 'node-2', type: 'host', cidr: '10.1.0.248/29', deleted: false },
  });
  const { report, stdout } = await check();
  assert.match(stdout, /2 blocks are half claimed/);
  assert.match(stdout, /10\.1\.0\.248\/29 by node "node-2": the claim is pending/);
  assert.equal(await release(report), '2 half-claimed blocks settled\n');
  const left = await cluster.store.list(blockAffinities);
  assert.deepEqual(
    left.map(({ spec }) => [spec.node, spec.state]),
    [['node-1', 'confirmed']],
  );
  assert.match((await check()).stdout, /Found no problems/);
});

test("a removed node's block and the addresses in it are found and released", async () => {
  await assign('gone', 'node-2', { exists: false });
  await cluster.store.delete(nodes, { name: 'node-2' });
  const { report, stdout } = await check();
  assert.match(
    stdout,
    /1 block belongs to a node that does not exist\n {2}10\.1\.0\.\d+\/29 of node "node-2"/,
  );
  assert.equal(await release(report), '1 leaked address released\n1 block of a removed node released\n');
  assert.deepEqual(await cluster.store.list(ipamBlocks), []);
  assert.deepEqual(await cluster.store.list(blockAffinities), []);
});

test('addresses in use that nobody assigned, and such as two pods use, are reported', async () => {
  await createPod('wild', 'node-1', '10.1.0.77');
  await createPod('twin', 'node-2', '10.1.0.77');
  const { stdout } = await check('--show-problem-ips');
  assert.match(
    stdout,
    /1 address is in use but not assigned\n {2}10\.1\.0\.77 by pod default\/twin, pod default\/wild/,
  );
  assert.match(stdout, /1 address is in use by several/);
});

test('a report of another cluster is refused, as is a file that is none', async () => {
  const { report } = await check();
  const information = await cluster.store.get(clusterInformations, { name: 'default' });
  await cluster.store.update(clusterInformations, { ...information, spec: { clusterGUID: 'other' } });
  const { code, stderr } = await cluster.run(['ipam', 'release', '--from-report', report]);
  assert.equal(code, 1);
  assert.match(stderr, /it is of cluster "abc" and this is "other"/);
  const none = await cluster.run(['ipam', 'release', '--from-report', cluster.write('x.json', '{}')]);
  assert.match(none.stderr, /x\.json": it was not written by "ipam check"/);
});

test('one address is released by its name', async () => {
  const address = await assign('gone', 'node-1', { exists: false });
  assert.equal((await cluster.run(['ipam', 'release', '--ip', address])).stdout, `Released ${address}\n`);
  const again = await cluster.run(['ipam', 'release', '--ip', address]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /it is not assigned/);
});

test('the rules are configured, and combinations that cannot work are refused', async () => {
  const refused = await cluster.run(['ipam', 'configure', '--max-blocks-per-host', '4']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Cannot limit blocks per host without strict affinity/);
  const { code, stderr } = await cluster.run([
    'ipam',
    'configure',
    '--strictaffinity=true',
    '--max-blocks-per-host=4',
    '--ip-cooldown-seconds=30',
  ]);
  assert.equal(code, 0, stderr);
  assert.match(
    (await cluster.run(['ipam', 'show', '--show-configuration'])).stdout,
    /^\| MaxBlocksPerHost +\| 4 +\|$/m,
  );
  await cluster.run(['ipam', 'configure', '--ip-cooldown-seconds=-1']);
  const { spec } = await cluster.store.get(ipamConfigurations, { name: 'default' });
  assert.deepEqual(
    [spec.strictAffinity, spec.maxBlocksPerHost, spec.ipCooldownSeconds],
    [true, 4, undefined],
  );
});

test('a pool is split into equal ones, which hold the same blocks', async () => {
  const address = await assign('web', 'node-1', { exists: true });
  const { stdout, stderr } = await cluster.run(['ipam', 'split', '4', '--name', 'pool']);
  assert.match(stdout, /"split-pool-3" \(10\.1\.0\.192\/26\)/, stderr);
  const cidrs = (await cluster.store.list(ipPools)).map(({ spec }) => spec.cidr);
  assert.deepEqual(cidrs, ['10.1.0.0/26', '10.1.0.64/26', '10.1.0.128/26', '10.1.0.192/26']);
  assert.equal(parseCidr(cidrs[0] ?? '').length, 26);
  assert.match((await cluster.run(['ipam', 'show', '--ip', address])).stdout, /is in use/);
  assert.match((await check()).stdout, /Found no problems/);
  for (const [count, message] of [
    ['3', /must be a power of two/],
    ['64', /each would be smaller than a block/],
  ] as const) {
    const refused = await cluster.run(['ipam', 'split', count, '--cidr', '10.1.0.0/26']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, message);
  }
});

test('a block that cannot be read is named, and none of its addresses is said to be free', async () => {
  const address = await assign('web', 'node-1', { exists: true });
  const [block] = await cluster.store.list(ipamBlocks);
  assert.ok(block);
  const unallocated = [...block.spec.allocations.keys()];
  const written = await cluster.store.update(ipamBlocks, { ...block, spec: { ...block.spec, unallocated } });
  const fault = 'spec.unallocated must be of addresses that are free';
  const { stdout } = await check();
  const { name } = block.metadata;
  assert.ok(
    stdout.includes(
      `1 block cannot be read, and keeps whatever it assigns\n  IPAMBlock "${name}": ${fault}\n`,
    ),
    stdout,
  );
  assert.match(stdout, /Found 1 problem$/m);
  const shown = await cluster.run(['ipam', 'show']);
  assert.match(shown.stdout, /^\| IP Pool +\| 10\.1\.0\.0\/24 +\| +256 \| +0 \(0%\) \| +248 \(97%\) \|$/m);
  assert.ok(shown.stdout.includes(`Block "${name}" cannot be read: ${fault};`), shown.stdout);
  for (const words of [
    ['show', '--ip', address],
    ['release', '--ip', address],
  ]) {
    const { code, stderr } = await cluster.run(['ipam', ...words]);
    assert.equal(code, 1);
    assert.ok(
      stderr.includes(`Cannot tell whether ${address} is assigned: IPAMBlock "${name}" cannot be read`),
      stderr,
    );
  }
  await cluster.store.update(ipamBlocks, { ...written, spec: block.spec });
  assert.match((await cluster.run(['ipam', 'show', '--ip', address])).stdout, /is in use/);
});
