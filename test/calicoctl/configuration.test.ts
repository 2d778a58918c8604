// How calicoctl finds its cluster, and what it says when it does not; versions, completion and the commands of a machine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clusterInformations } from '../../src/resources/index.ts';
import { ApiCluster, run, runCalicoctl } from './api-cluster.ts';

let cluster: ApiCluster;
before(async () => {
  cluster = await ApiCluster.start();
});
after(() => cluster[Symbol.asyncDispose]());

const list = ['get', 'ippools'];
const listed = 'NAME   CIDR   SELECTOR\n';

function configFile(spec: object): string {
  const content = { apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', metadata: {}, spec };
  return cluster.write('calicoctl.cfg', JSON.stringify(content));
}

test('a configuration file may name a kubeconfig, hold one, or name the server', async () => {
  const inline = readFileSync(cluster.kubeconfig, 'utf8');
  for (const spec of [
    { datastoreType: 'kubernetes', kubeconfig: cluster.kubeconfig },
    { kubeconfigInline: inline },
    { k8sAPIEndpoint: cluster.url, k8sAPIToken: 'secret' },
  ]) {
    const { stdout, stderr } = await runCalicoctl([...list, '-c', configFile(spec)]);
    assert.equal(stdout, listed, stderr);
  }
});

test('the environment fills in what the configuration file leaves out, and yields to it', async () => {
  const environment = { K8S_API_ENDPOINT: 'http://127.0.0.1:1', K8S_API_TOKEN: 'secret' };
  const named = configFile({ k8sAPIEndpoint: cluster.url });
  const { stdout, stderr } = await runCalicoctl([...list, '--config', named], { environment });
  assert.equal(stdout, listed, stderr);
});

test('the context is the one of the command line', async () => {
  const { stderr, code } = await cluster.run([...list, '--context', 'nowhere']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot read ClusterInformation "default": http:\/\/127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)/,
  );
  const missing = await cluster.run([...list, '--context', 'frob']);
  assert.match(missing.stderr, /Cannot find the cluster: .*has no context "frob"/);
});

test('a name and password in the URL of a server are the credential, as kubectl has it', async () => {
  const url = new URL(cluster.url);
  const kubeconfig = readFileSync(cluster.kubeconfig, 'utf8')
    .replace(cluster.url, `${url.protocol}//person:secret@${url.host}`)
    .replace(/token: secret/, 'token: ""');
  const file = cluster.write('basic', kubeconfig.replace(/user:\n +token: ""/, 'user: {}'));
  const { stdout, stderr } = await runCalicoctl(list, { environment: { KUBECONFIG: file } });
  assert.equal(stdout, listed, stderr);
});

for (const [what, spec, message] of [
  ['another datastore', { datastoreType: 'etcdv3' }, /Cannot use the datastore type "etcdv3"/],
  ['a setting that there is none of', { frob: 1 }, /spec\.frob is not a known setting/],
] as const) {
  test(`a configuration file with ${what} is refused in a sentence`, async () => {
    const { code, stderr } = await runCalicoctl([...list, '-c', configFile(spec)]);
    assert.equal(code, 1);
    assert.match(stderr, message);
  });
}

test('without any configuration it says what to set', async () => {
  const { code, stderr } = await runCalicoctl(list);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^calicoctl: Cannot find the cluster: .*Set KUBECONFIG, or write \/etc\/calico\/calicoctl\.cfg$/m,
  );
});

test('a cluster of another version is refused, unless the difference is allowed', async () => {
  const key = { name: 'default' };
  await cluster.store.create(clusterInformations, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'ClusterInformation',
    metadata: key,
    spec: { calicoVersion: 'v9.9.9', clusterType: 'k8s,kdd' },
  });
  try {
    const { code, stderr } = await cluster.run(list);
    assert.equal(code, 1);
    assert.match(stderr, /The cluster runs Calico v9\.9\.9 and this calicoctl is .*--allow-version-mismatch/);
    assert.equal((await cluster.run([...list, '--allow-version-mismatch'])).stdout, listed);
    const { stdout } = await cluster.run(['version']);
    assert.match(
      stdout,
      /^Client Version: +\d+\.\d+\.\d+\nCluster Version: +v9\.9\.9\nCluster Type: +k8s,kdd\n$/,
    );
  } finally {
    await cluster.store.delete(clusterInformations, key);
  }
});

test('the version of the client alone needs no cluster', async () => {
  const { stdout, code } = await runCalicoctl(['version', '--client']);
  assert.match(stdout, /^Client Version: +\d+\.\d+\.\d+\n$/);
  assert.equal(code, 0);
});

test('kubectl finds it as its plugin, which calls itself so', async () => {
  const program = join(import.meta.dirname, '..', '..', 'bin', 'kubectl-calico.ts');
  const plugin = join(cluster.folder, 'kubectl-calico');
  writeFileSync(plugin, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  const environment = {
    PATH: `${cluster.folder}:${process.env.PATH}`,
    HOME: cluster.folder,
    KUBECONFIG: cluster.kubeconfig,
  };
  const help = await run(['kubectl', 'calico', '--help'], { environment });
  assert.match(help.stdout, /^Usage: kubectl calico /, help.stderr);
  assert.equal((await run(['kubectl', 'calico', ...list], { environment })).stdout, listed);
});

test('a command that there is none of is told with the nearest that there is', async () => {
  const { code, stderr } = await runCalicoctl(['aply']);
  assert.equal(code, 1);
  assert.match(stderr, /^calicoctl: unknown command 'aply'[\s\S]*apply/);
});

test('of a kind that there is none of the nearest is told, or all where none is near', async () => {
  const { code, stderr } = await runCalicoctl(['get', 'ippol']);
  assert.equal(code, 1);
  assert.equal(stderr, 'calicoctl: "ippol" is not a kind of resource; did you mean "ippool"?\n');
  assert.match(
    (await runCalicoctl(['get', 'frob'])).stderr,
    /the kinds are BGPConfiguration, .*, WorkloadEndpoint\n$/,
  );
});

test('the page about calicoctl names every command that there is', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/calicoctl.md'), 'utf8');
  const { stdout } = await runCalicoctl(['--help']);
  const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+) /gm)].map(
    ([, name]) => name,
  );
  assert.ok(commands.length > 10, stdout);
  for (const name of commands.filter((name) => name !== 'help')) {
    assert.match(page, new RegExp(`\\| .*\`(calicoctl )?${name}\`.* \\|`), `${name} is missing`);
  }
});

test('how often to ask for the version is a duration', async () => {
  for (const pause of ['0', '0s']) {
    assert.match(
      (await cluster.run(['version', '--poll', pause])).stdout,
      /^Client Version: .*\nCluster Version: .*\n.*\n$/,
    );
  }
  assert.match(
    (await runCalicoctl(['version', '--poll', 'often'])).stderr,
    /It must be a duration, such as "30m"/,
  );
});

test('bash completes commands, options and kinds', async () => {
  const { stdout } = await runCalicoctl(['completion', 'bash']);
  const script = cluster.write('completion.bash', stdout);
  const complete = (...words: string[]) =>
    execFileSync('bash', [
      '-c',
      `. ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _calicoctl; echo "\${COMPREPLY[@]}"`,
      'bash',
      'calicoctl',
      ...words,
    ])
      .toString()
      .trim();
  assert.equal(complete('ap'), 'apply');
  assert.equal(complete('get', 'ippo'), 'ippool');
  assert.equal(complete('ipam', 'rel'), 'release');
  assert.equal(complete('ipam', 'release', '--from'), '--from-report');
});

test('every shell has a script, and no other has', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { stdout, code } = await runCalicoctl(['completion', shell]);
    assert.equal(code, 0);
    assert.match(stdout, /calicoctl[\s\S]*from-report/);
  }
  assert.equal((await runCalicoctl(['completion', 'tcsh'])).code, 1);
});

test('node run prints the command of the container, quoted for a shell', async () => {
  const { stdout } = await runCalicoctl([
    'node',
    'run',
    '--dryrun',
    '--name',
    'n 1',
    '--ip',
    '10.0.0.1',
    '--no-default-ippools',
  ]);
  assert.match(stdout, /docker run --net=host --privileged --name=calico-node -d --restart=always/);
  assert.match(stdout, /-e 'NODENAME=n 1' .*-e IP=10\.0\.0\.1 .*-e NO_DEFAULT_POOLS=true/);
  assert.doesNotMatch(stdout, / -e IP_AUTODETECTION_METHOD/);
});

test('node status says that BGP is not running where there is no BIRD', async () => {
  const { stdout } = await runCalicoctl(['node', 'status'], { environment: { CALICO_ROOT: cluster.folder } });
  assert.match(stdout, /^Calico process is (not )?running/);
  assert.match(stdout, /\nBGP is not running: no BIRD listens at ".*bird\.ctl" on this machine/);
});

test('node checksystem names each thing that the kernel must have', async () => {
  const { stdout } = await runCalicoctl(['node', 'checksystem']);
  assert.match(stdout, /^kernel \S+ +OK$/m);
  assert.match(stdout, /^nf_tables +OK$/m);
  assert.match(stdout, /^zones of connections +OK$/m);
  assert.match(stdout, /^This system can run calico-node$/m);
});

test('node checksystem judges the kernel of a configuration', async () => {
  const file = join(cluster.folder, 'kernel-config');
  writeFileSync(file, 'CONFIG_VETH=m\n# CONFIG_VXLAN is not set\nCONFIG_NFT_CT=y\n');
  const { code, stdout } = await runCalicoctl(['node', 'checksystem', '--kernel-config', file]);
  assert.equal(code, 1);
  assert.match(stdout, /^veth +OK$/m);
  assert.match(stdout, /^nft_ct +OK$/m);
  assert.match(stdout, /^vxlan +MISSING: use a kernel with CONFIG_VXLAN/m);
  assert.match(stdout, /^This system cannot run calico-node as it is$/m);
});
