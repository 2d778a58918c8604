// The embedded API server with the real kubectl that is on PATH. Its configuration, home and cache lie in a folder of the test's own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../src/apiserver/index.ts';
import { crds } from '../../src/resources/index.ts';
import { runFieldManagerCases } from './field-manager-cases.ts';

let server: ApiServer;
let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), `calico-kubectl-${process.pid}-`));
  server = await startApiServer({ database: join(home, 'store.db'), token: 'secret' });
  // No kubectl sends a bearer token over plain HTTP; the URL's password it does send.
  const url = server.url.replace('//', '//kubectl:secret@');
  await writeFile(
    join(home, 'kubeconfig'),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url } }],
      users: [{ name: 'test', user: {} }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
  );
});
after(async () => {
  await server.close();
  await rm(home, { recursive: true });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]) {
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: join(home, 'kubeconfig') };
  return spawn('kubectl', args, { env, timeout: 20_000 });
}

/** Runs kubectl to its end, with an object on its standard input when one is given. */
function kubectl(args: string, input?: object): Promise<Run> {
  return run(args.split(' '), input ? JSON.stringify(input) : '');
}

async function run(args: readonly string[], input: string): Promise<Run> {
  const child = start(args);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

/** As `kubectl`; the test fails unless it exits with 0. */
async function succeed(args: string, input?: object): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, input);
  assert.equal(code, 0, `kubectl ${args} failed: ${stderr}`);
  return stdout;
}

let definitions: Promise<string> | undefined;
function defineCalico(): Promise<string> {
  definitions ??= succeed('create -f -', { apiVersion: 'v1', kind: 'List', items: crds() });
  return definitions;
}

const denyAll = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny-all', namespace: 'default' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
};

function pod(name: string, image = 'x:1') {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
  };
}

test('apply makes an object, and applying it again changes nothing', async () => {
  assert.match(await succeed('apply -f -', denyAll), /deny-all created/);
  assert.match(await succeed('apply -f -', denyAll), /deny-all unchanged/);
});

test('apply sends a three-way patch that changes and removes fields', async () => {
  await succeed('apply -f -', pod('patched'));
  const next = pod('patched', 'x:2');
  next.metadata.labels = { app: 'other' };
  assert.match(await succeed('apply -f -', next), /patched configured/);
  const shown = JSON.parse(await succeed('get pod patched -o json'));
  assert.equal(shown.spec.containers[0].image, 'x:2');
  assert.deepEqual(shown.metadata.labels, { app: 'other' });
});

test('server-side apply works and reports conflicts', async () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' }, data: { a: '1' } };
  await succeed('apply --server-side -f -', object);
  const changed = { ...object, data: { a: '2' } };
  const refused = await kubectl('apply --server-side --field-manager other -f -', changed);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /conflict with "kubectl".*\.data\.a/);
  await succeed('apply --server-side --force-conflicts --field-manager other -f -', changed);
});

runFieldManagerCases('in the embedded API server', async (args, input = '') => {
  await defineCalico();
  const { code, stdout, stderr } = await run(args, input);
  if (code !== 0) throw new Error(stderr);
  return stdout;
});

test('get shows tables, narrow and wide', async () => {
  await succeed('apply -f -', pod('shown'));
  assert.match(await succeed('get pod shown'), /NAME +READY +STATUS +RESTARTS +AGE\nshown +0\/1 +Pending +0/);
  assert.match(await succeed('get pods -A -o wide'), /IP +NODE/);
  assert.match(await succeed('get namespaces'), /kube-system +Active/);
});

test('get selects by labels and fields', async () => {
  await succeed('apply -f -', pod('chosen'));
  assert.equal(await succeed('get pods -l app=chosen -o name'), 'pod/chosen\n');
  assert.equal(await succeed('get pods --field-selector metadata.name=chosen -o name'), 'pod/chosen\n');
});

test('label, annotate and patch change an object', async () => {
  await succeed('apply -f -', pod('changed'));
  await succeed('label pod changed tier=web');
  await succeed('annotate pod changed note=here');
  await succeed('patch pod changed --type=json -p [{"op":"remove","path":"/metadata/labels/app"}]');
  const { metadata } = JSON.parse(await succeed('get pod changed -o json'));
  assert.deepEqual(metadata.labels, { tier: 'web' });
  assert.equal(metadata.annotations.note, 'here');
});

test('get --watch follows changes', async () => {
  await succeed('apply -f -', pod('watched'));
  const child = start(['get', 'pod', 'watched', '--watch', '-o', 'jsonpath={.metadata.labels.seen}{"\\n"}']);
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, '');
    await succeed('label pod watched seen=yes');
    assert.equal((await lines.next()).value, 'yes');
  } finally {
    child.kill();
  }
});

test('a namespace is made with its service account and deleted with all that is in it', async () => {
  await succeed('create namespace brief');
  await succeed('create configmap held -n brief --from-literal=a=b');
  assert.match(await succeed('get configmap held -n brief -o jsonpath={.data.a}'), /^b$/);
  assert.match(await succeed('delete namespace brief'), /deleted/);
  assert.match((await kubectl('get namespace brief')).stderr, /NotFound/);
});

test('delete takes --all and selectors', async () => {
  await succeed('create namespace emptied');
  await succeed('create configmap one -n emptied');
  await succeed('create configmap two -n emptied');
  await succeed('label configmap one -n emptied go=yes');
  await succeed('delete configmap -l go=yes -n emptied');
  assert.equal(await succeed('get configmap -n emptied -o name'), 'configmap/two\n');
  await succeed('delete configmap --all -n emptied');
  assert.equal(await succeed('get configmap -n emptied -o name'), '');
});

test('a custom kind is established, explained, validated and printed by its columns', async () => {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Cluster',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          additionalPrinterColumns: [{ name: 'Color', type: 'string', jsonPath: '.spec.color' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { color: { type: 'string', enum: ['blue', 'red'] } } },
              },
            },
          },
        },
      ],
    },
  };
  await succeed('apply -f -', definition);
  await succeed('wait --for=condition=established crd/widgets.example.com --timeout=10s');
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { color: 'red' },
  };
  await succeed('apply -f -', widget);
  assert.match(await succeed('get wd'), /NAME +COLOR\na +red/);
  assert.match(await succeed('explain widgets.spec'), /color\t<string>/);
  const refused = await kubectl('apply -f -', { ...widget, spec: { color: 'green' } });
  assert.match(refused.stderr, /spec\.color: Unsupported value: "green": supported values: "blue", "red"/);
});

test('describe and api-resources read what they need', async () => {
  await succeed('apply -f -', pod('described'));
  assert.match(await succeed('describe pod described'), /Status: +Pending/);
  assert.match(await succeed('api-resources'), /networkpolicies +netpol/);
});
