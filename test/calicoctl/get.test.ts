// `calicoctl get` by the real program against the embedded API server: every output, and the kinds that nobody stores.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { ipPools, namespaces, nodes, pods, type Resource } from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

let cluster: ApiCluster;

before(async () => {
  cluster = await ApiCluster.start();
  const { store } = cluster;
  await store.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'node-1',
      annotations: {
        'projectcalico.org/IPv4Address': '172.16.0.1/24',
        'projectcalico.org/ASNumber': '64513',
        'projectcalico.org/IPv4VXLANTunnelAddr': '10.1.0.1',
        other: 'kept',
      },
    },
    spec: { podCIDR: '10.9.0.0/24' },
  });
  await store.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { team: 'red' } },
  });
  await store.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-1',
      namespace: 'shop',
      labels: { app: 'web' },
      annotations: { 'cni.projectcalico.org/podIPs': '10.1.0.5/32,fd00::5/128' },
    },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'main', image: 'any', ports: [{ name: 'http', containerPort: 80 }] }],
    },
  });
  for (const [name, cidr] of Object.entries({ first: '10.1.0.0/16', second: '10.2.0.0/16' })) {
    await store.create(ipPools, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec: { cidr, natOutgoing: true },
    });
  }
});

after(() => cluster[Symbol.asyncDispose]());

test('a table shows what upstream shows, and the wide one more', async () => {
  const { stdout, code } = await cluster.run(['get', 'ippools']);
  assert.equal(
    stdout,
    'NAME     CIDR          SELECTOR\nfirst    10.1.0.0/16   all()\nsecond   10.2.0.0/16   all()\n',
  );
  assert.equal(code, 0);
  const wide = await cluster.run(['get', 'ippool', 'first', '-o', 'wide']);
  assert.match(wide.stdout, /^NAME {4}CIDR {10}NAT {4}IPIPMODE/);
  assert.match(wide.stdout, /first +10\.1\.0\.0\/16 +true +Never +Never +false/);
});

for (const name of ['IPPool', 'ippools', 'IPP', 'pool']) {
  test(`a kind may be called "${name}"`, async () => {
    const { stdout } = await cluster.run(['get', name, 'first']);
    assert.match(stdout, /^first /m);
  });
}

test('several names may be separated by spaces or commas', async () => {
  const { stdout } = await cluster.run(['get', 'ippool', 'first,second']);
  assert.match(stdout, /first[\s\S]*second/);
});

test('YAML and JSON hold the same list, and one object by its name', async () => {
  const list = parse((await cluster.run(['get', 'ippool', '-o', 'yaml'])).stdout);
  assert.equal(list.kind, 'IPPoolList');
  assert.deepEqual(
    list.items.map(({ metadata }: Resource) => metadata.name),
    ['first', 'second'],
  );
  const json = JSON.parse((await cluster.run(['get', 'ippool', '-o', 'json'])).stdout);
  assert.deepEqual(json, list);
  const one = parse((await cluster.run(['get', 'ippool', 'first', '-o', 'yaml'])).stdout);
  assert.deepEqual(one, list.items[0]);
});

test('an export leaves out what belongs to this cluster, and can be created again', async () => {
  const { stdout } = await cluster.run(['get', 'ippool', 'second', '-o', 'yaml', '--export']);
  assert.deepEqual(Object.keys(parse(stdout).metadata), ['name']);
  await cluster.run(['delete', 'ippool', 'second']);
  const { code, stderr } = await cluster.run(['create', '-f', '-'], { stdin: stdout });
  assert.equal(code, 0, stderr);
});

test("custom columns are the kind's own or any field's", async () => {
  const { stdout } = await cluster.run([
    'get',
    'ippool',
    '-o',
    'custom-columns=NAME,NAT,NODES:.spec.nodeSelector,X:.spec.x',
  ]);
  assert.equal(stdout.split('\n')[1], 'first    true   all()   <none>');
  const { code, stderr } = await cluster.run(['get', 'ippool', '-o', 'custom-columns=FROB']);
  assert.equal(code, 1);
  assert.match(stderr, /"FROB" is not a column of IPPool; its columns are NAME, CIDR,/);
});

test("templates of upstream's users and of kubectl's both work, from the line and from a file", async () => {
  const upstream = '{{range .}}{{range .Items}}{{.ObjectMeta.Name}} {{.Spec.CIDR}}{{"\\n"}}{{end}}{{end}}';
  const kubectl = '{{range .items}}{{.metadata.name}} {{.spec.cidr}}{{"\\n"}}{{end}}';
  const expected = 'first 10.1.0.0/16\nsecond 10.2.0.0/16\n';
  assert.equal((await cluster.run(['get', 'ippool', '-o', `go-template=${upstream}`])).stdout, expected);
  const file = cluster.write('pools.tmpl', kubectl);
  assert.equal((await cluster.run(['get', 'ippool', '-o', `go-template-file=${file}`])).stdout, expected);
});

test('objects are read that a file names', async () => {
  const file = cluster.write(
    'named.yaml',
    'apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: first}\nspec: {cidr: 10.1.0.0/16}\n',
  );
  const { stdout } = await cluster.run(['get', '-f', file]);
  assert.match(stdout, /^first +10\.1\.0\.0\/16/m);
});

test('what is missing is told while the rest is shown, with exit code 1', async () => {
  const { stdout, stderr, code } = await cluster.run(['get', 'ippool', 'first', 'third']);
  assert.equal(code, 1);
  assert.match(stdout, /^first /m);
  assert.match(stderr, /^calicoctl: Cannot read IPPool "third": .*not found/);
});

test('errors are JSON where the output is', async () => {
  for (const [line, message] of [
    [['get', 'ippool', 'third', '-o', 'json'], /Cannot read IPPool "third"/],
    [['get', 'frob', '-o', 'json'], /"frob" is not a kind/],
    [['get', '--frob', '-o', 'json'], /unknown option '--frob'/],
  ] as const) {
    const { stderr, stdout, code } = await cluster.run(line);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(JSON.parse(stderr).errors[0].message, message);
  }
});

test("a Node shows what its annotations say, and keeps other programs' annotations", async () => {
  const { stdout } = await cluster.run(['get', 'node', '-o', 'wide']);
  assert.match(stdout, /node-1 +64513 +172\.16\.0\.1\/24/);
  const node = parse((await cluster.run(['get', 'node', 'node-1', '-o', 'yaml'])).stdout);
  assert.equal(node.apiVersion, 'projectcalico.org/v3');
  assert.deepEqual(node.metadata.annotations, { other: 'kept' });
  assert.deepEqual(node.spec, {
    addresses: [{ address: '172.16.0.1/24', type: 'CalicoNodeIP' }],
    bgp: { ipv4Address: '172.16.0.1/24', asNumber: '64513' },
    ipv4VXLANTunnelAddr: '10.1.0.1',
    orchRefs: [{ nodeName: 'node-1', orchestrator: 'k8s' }],
  });
  assert.deepEqual(node.status, { podCIDRs: ['10.9.0.0/24'] });
});

test('a workload endpoint stands for each pod with an address', async () => {
  const { stdout } = await cluster.run(['get', 'wep', '-A']);
  assert.match(stdout, /^NAMESPACE +WORKLOAD +NODE +NETWORKS +INTERFACE$/m);
  assert.match(stdout, /^shop +web-1 +node-1 +10\.1\.0\.5\/32,fd00::5\/128 +cali[0-9a-f]{11}$/m);
  const name = 'node--1-k8s-web--1-eth0';
  const endpoint = parse((await cluster.run(['get', 'wep', name, '-n', 'shop', '-o', 'yaml'])).stdout);
  assert.equal(endpoint.metadata.labels['projectcalico.org/namespace'], 'shop');
  assert.deepEqual(endpoint.spec.profiles, ['kns.shop', 'ksa.shop.default']);
  assert.deepEqual(endpoint.spec.ports, [{ name: 'http', port: 80, protocol: 'TCP' }]);
  assert.equal((await cluster.run(['get', 'wep'])).stdout, 'WORKLOAD   NODE   NETWORKS   INTERFACE\n');
});

test('a profile stands for each namespace and each service account', async () => {
  const profile = parse((await cluster.run(['get', 'profile', 'kns.shop', '-o', 'yaml'])).stdout);
  assert.equal(profile.spec.labelsToApply['pcns.team'], 'red');
  assert.equal(profile.spec.labelsToApply['pcns.projectcalico.org/name'], 'shop');
  const { stdout } = await cluster.run(['get', 'profiles']);
  assert.match(stdout, /^projectcalico-default-allow$/m);
  assert.match(stdout, /^ksa\.shop\.default$/m);
});
