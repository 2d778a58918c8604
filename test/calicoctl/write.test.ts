// The commands that write, by the real program against the embedded API server.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parse } from 'yaml';
import { ipPools, networkPolicies, nodes } from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

let cluster: ApiCluster;
beforeEach(async () => {
  cluster = await ApiCluster.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

function pool(name: string, cidr: string, rest = ''): string {
  return `apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: ${name}}\nspec: {cidr: ${cidr}${rest}}\n`;
}

const policy =
  'apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {selector: all()}\n';

test('apply says of each object what it changed, and changes nothing the second time', async () => {
  const file = cluster.write('pools.yaml', `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/16')}`);
  const first = await cluster.run(['apply', '-f', file]);
  assert.equal(first.stdout, 'IPPool "a" created\nIPPool "b" created\n');
  assert.equal(first.code, 0, first.stderr);
  cluster.write(
    'pools.yaml',
    `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/16', ', natOutgoing: true')}`,
  );
  assert.equal(
    (await cluster.run(['apply', '-f', file])).stdout,
    'IPPool "a" unchanged\nIPPool "b" configured\n',
  );
  const before = await cluster.store.list(ipPools);
  assert.equal(
    (await cluster.run(['apply', '-f', file])).stdout,
    'IPPool "a" unchanged\nIPPool "b" unchanged\n',
  );
  assert.deepEqual(await cluster.store.list(ipPools), before);
});

for (const where of ['server', 'client'] as const) {
  test(`a ${where} dry run with its difference shows the change and writes nothing`, async () => {
    const file = cluster.write('pool.yaml', pool('a', '10.1.0.0/16'));
    await cluster.run(['apply', '-f', file]);
    cluster.write(
      'pool.yaml',
      `${pool('a', '10.1.0.0/16', ', disabled: true')}---\n${pool('b', '10.2.0.0/16')}`,
    );
    const { stdout, code } = await cluster.run(['apply', '-f', file, `--dry-run=${where}`, '--diff']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^IPPool "a" configured \\(${where} dry run\\)$`, 'm'));
    assert.match(stdout, /^\+ {2}disabled: true$/m);
    assert.match(stdout, new RegExp(`^IPPool "b" created \\(${where} dry run\\)$`, 'm'));
    assert.match(stdout, /^\+ {2}cidr: 10\.2\.0\.0\/16$/m);
    const [stored, ...others] = await cluster.store.list(ipPools);
    assert.equal(stored?.spec.disabled, undefined);
    assert.deepEqual(others, []);
  });
}

test('a server dry run asks the server, which refuses what a client cannot see', async () => {
  const file = cluster.write('pool.yaml', pool('a', '10.1.0.0/16'));
  await cluster.run(['apply', '-f', file]);
  cluster.write('pool.yaml', pool('a', '10.9.0.0/16'));
  const { code, stderr } = await cluster.run(['apply', '-f', file, '--dry-run=server']);
  assert.equal(code, 1);
  assert.match(stderr, /pool\.yaml:1: Cannot replace IPPool "a": .*cannot be changed/);
});

test('a fault in one object is told with its line and leaves the others', async () => {
  const text = `${pool('a', '10.1.0.300/16', ', natOutgoin: 1')}---\n${pool('b', '10.2.0.0/16')}---\nkind: Frob\n`;
  const { code, stdout, stderr } = await cluster.run(['apply', '-f', '-'], { stdin: text });
  assert.equal(code, 1);
  assert.equal(stdout, 'IPPool "b" created\n');
  assert.match(stderr, /^calicoctl: -:4: spec\.cidr: "10\.1\.0\.300\/16" must be a CIDR/m);
  assert.match(
    stderr,
    /^calicoctl: -:4: spec\.natOutgoin is not a known field; did you mean "natOutgoing"\?$/m,
  );
  assert.match(stderr, /^calicoctl: -:11: kind: "Frob" must be one of Calico's kinds/m);
});

test('outcomes and errors are JSON where that is asked for', async () => {
  const text = `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/33')}`;
  const { code, stdout, stderr } = await cluster.run(['create', '-f', '-', '-o', 'json'], { stdin: text });
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout).results, [
    { kind: 'IPPool', name: 'a', file: '-', line: 1, result: 'created' },
  ]);
  const [error] = JSON.parse(stderr).errors;
  assert.deepEqual({ line: error.line, path: error.path }, { line: 9, path: 'spec.cidr' });
});

test('an object without a name, or with a namespace that it cannot have, is refused', async () => {
  const text = pool('a', '10.1.0.0/16');
  for (const [metadata, message] of [
    ['{}', /-:3: metadata\.name is required/],
    ['{name: a, namespace: shop}', /-:3: metadata\.namespace: "shop" must be left out/],
  ] as const) {
    const stdin = text.replace('{name: a}', metadata);
    const { code, stderr } = await cluster.run(['apply', '-f', '-'], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});

test('create refuses what exists, unless that is to be skipped', async () => {
  const file = cluster.write('pool.yaml', pool('a', '10.1.0.0/16'));
  await cluster.run(['create', '-f', file]);
  const again = await cluster.run(['create', '-f', file]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /Cannot create IPPool "a": .*already exists/);
  const skipped = await cluster.run(['create', '-f', file, '--skip-exists']);
  assert.equal(skipped.code, 0);
  assert.equal(skipped.stdout, 'IPPool "a" skipped: it exists already\n');
});

test('replace puts the file in the place of what is stored, and needs something to be stored', async () => {
  const file = cluster.write('pool.yaml', pool('a', '10.1.0.0/16'));
  const none = await cluster.run(['replace', '-f', file]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /Cannot replace IPPool "a": it does not exist/);
  await cluster.run([
    'create',
    '-f',
    cluster.write('full.yaml', pool('a', '10.1.0.0/16', ', disabled: true')),
  ]);
  await cluster.run(['label', 'ippool', 'a', 'x=y']);
  assert.equal((await cluster.run(['replace', '-f', file])).stdout, 'IPPool "a" replaced\n');
  const stored = await cluster.store.get(ipPools, { name: 'a' });
  assert.deepEqual([stored.spec.disabled, stored.metadata.labels], [undefined, undefined]);
});

test('a revision in a file is a condition: an object that was changed since is not overwritten', async () => {
  await cluster.run(['create', '-f', '-'], { stdin: pool('a', '10.1.0.0/16') });
  const { stdout } = await cluster.run(['get', 'ippool', 'a', '-o', 'yaml']);
  await cluster.run(['patch', 'ippool', 'a', '-p', '{"spec":{"disabled":true}}']);
  for (const command of ['apply', 'replace']) {
    const { code, stderr } = await cluster.run([command, '-f', '-'], { stdin: stdout });
    assert.equal(code, 1);
    assert.match(stderr, /Cannot replace IPPool "a": .*modified/);
  }
});

test('delete takes names or files, and skips what is gone when told to', async () => {
  const file = cluster.write('pools.yaml', `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/16')}`);
  await cluster.run(['create', '-f', file]);
  const byName = await cluster.run(['delete', 'ippool', 'a', 'c']);
  assert.equal(byName.code, 1);
  assert.equal(byName.stdout, 'IPPool "a" deleted\n');
  assert.match(byName.stderr, /Cannot delete IPPool "c": .*not found/);
  const byFile = await cluster.run(['delete', '-f', file, '--skip-not-exists']);
  assert.equal(byFile.code, 0);
  assert.equal(byFile.stdout, 'IPPool "a" skipped: it does not exist\nIPPool "b" deleted\n');
});

test('a namespace is the one of the file, of -n, or of the context', async () => {
  await cluster.run(['apply', '-f', '-'], { stdin: policy });
  await cluster.run(['apply', '-n', 'kube-system', '-f', '-'], { stdin: policy });
  const stored = await cluster.store.list(networkPolicies);
  assert.deepEqual(
    stored.map(({ metadata }) => metadata.namespace),
    ['default', 'kube-system'],
  );
  const { stdout } = await cluster.run(['get', 'np', '-A']);
  assert.match(stdout, /^NAMESPACE +NAME +TIER$/m);
  assert.match(stdout, /^kube-system +p +default$/m);
});

test('folders are read by name, deeper ones with -R; lists and JSON as well as YAML', async () => {
  const folder = join(cluster.folder, 'manifests');
  mkdirSync(join(folder, 'deeper'), { recursive: true });
  const items = [parse(pool('b', '10.2.0.0/16')), parse(pool('c', '10.3.0.0/16'))];
  cluster.write('manifests/1.yaml', pool('a', '10.1.0.0/16'));
  cluster.write(
    'manifests/2.json',
    JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind: 'IPPoolList', items }),
  );
  cluster.write('manifests/notes.txt', 'not a manifest');
  cluster.write('manifests/deeper/d.yml', pool('d', '10.4.0.0/16'));
  const flat = await cluster.run(['apply', '-f', folder]);
  assert.equal(flat.stdout.match(/created/g)?.length, 3, flat.stderr);
  const deep = await cluster.run(['apply', '-R', '-f', folder]);
  assert.match(deep.stdout, /IPPool "d" created/);
});

test('what holds no object is an error, unless that is allowed', async () => {
  const file = cluster.write('empty.yaml', '# nothing\n');
  const { code, stderr } = await cluster.run(['apply', '-f', file]);
  assert.equal(code, 1);
  assert.match(stderr, /empty\.yaml": it holds no object; --skip-empty allows that/);
  assert.equal((await cluster.run(['apply', '--skip-empty', '-f', file])).code, 0);
  const missing = await cluster.run(['apply', '-f', join(cluster.folder, 'none.yaml')]);
  assert.match(missing.stderr, /none\.yaml": there is no such file or folder/);
});

for (const [type, patch] of [
  ['strategic', '{"spec":{"disabled":true}}'],
  ['merge', '{"spec":{"disabled":true}}'],
  ['json', '[{"op":"add","path":"/spec/disabled","value":true}]'],
] as const) {
  test(`a ${type} patch changes the field that it names`, async () => {
    await cluster.run(['create', '-f', '-'], { stdin: pool('a', '10.1.0.0/16', ', natOutgoing: true') });
    const first = await cluster.run(['patch', 'ippool', 'a', '-t', type, '-p', patch]);
    assert.equal(first.stdout, 'IPPool "a" patched\n', first.stderr);
    const { spec } = await cluster.store.get(ipPools, { name: 'a' });
    assert.deepEqual([spec.disabled, spec.natOutgoing], [true, true]);
    assert.equal(
      (await cluster.run(['patch', 'ippool', 'a', '-t', type, '-p', patch])).stdout,
      'IPPool "a" unchanged\n',
    );
  });
}

test('labels are set, kept from being overwritten by mistake, and removed', async () => {
  await cluster.run(['create', '-f', '-'], { stdin: pool('a', '10.1.0.0/16') });
  assert.equal(
    (await cluster.run(['label', 'ippool', 'a', 'rack=1', 'row=2'])).stdout,
    'IPPool "a" labeled\n',
  );
  const refused = await cluster.run(['label', 'ippool', 'a', 'rack=2']);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /Cannot set label "rack" of IPPool "a" to "2": it is "1"; --overwrite changes it/,
  );
  await cluster.run(['label', 'ippool', 'a', 'rack=2', '--overwrite']);
  await cluster.run(['label', 'ippool', 'a', 'row', '--remove']);
  assert.deepEqual((await cluster.store.get(ipPools, { name: 'a' })).metadata.labels, { rack: '2' });
});

test("a Node's fields are written as annotations, and nothing else of it changes", async () => {
  await cluster.store.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { zone: 'a' }, annotations: { other: 'kept' } },
    spec: {},
  });
  const patch = '{"spec":{"bgp":{"routeReflectorClusterID":"224.0.0.1","asNumber":64513}}}';
  assert.equal((await cluster.run(['patch', 'node', 'n', '-p', patch])).stdout, 'Node "n" patched\n');
  await cluster.run(['label', 'node', 'n', 'route-reflector=true']);
  const { metadata } = await cluster.store.get(nodes, { name: 'n' });
  assert.deepEqual(metadata.labels, { zone: 'a', 'route-reflector': 'true' });
  assert.deepEqual(metadata.annotations, {
    other: 'kept',
    'projectcalico.org/RouteReflectorClusterID': '224.0.0.1',
    'projectcalico.org/ASNumber': '64513',
  });
  const { stdout } = await cluster.run(['get', 'node', 'n', '-o', 'yaml']);
  assert.equal((await cluster.run(['apply', '-f', '-'], { stdin: stdout })).stdout, 'Node "n" unchanged\n');
});

test('what stands for other objects cannot be deleted, and the message says what can', async () => {
  const { code, stderr } = await cluster.run(['delete', 'profile', 'kns.default']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot delete Profile "kns\.default": it stands for a namespace or a service account/,
  );
});

test('validate judges files without a cluster', async () => {
  const file = cluster.write('pools.yaml', `${pool('a', '10.1.0.0/16')}---\n${pool('b', 'x')}`);
  const { code, stdout, stderr } = await cluster.run(['validate', '-f', file], {
    environment: { KUBECONFIG: '/nonexistent' },
  });
  assert.equal(code, 1);
  assert.match(stdout, /pools\.yaml:1: IPPool "a" is valid/);
  assert.match(stderr, /pools\.yaml:9: spec\.cidr: "x" must be a CIDR/);
});
