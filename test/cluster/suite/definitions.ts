// Every kind in the real kube-apiserver: it takes what the embedded server takes, fills in the same defaults, keeps every field, and
// refuses what that refuses in the same words. And calicoctl works with it, by TLS and a client's certificate. At the end it fills in
// what policies leave out, by the chart's own admission.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { runCalicoctl } from '../../calicoctl/api-cluster.ts';
import { asCreated, everyObject, everyRefusal, toYaml, written } from '../../resources/every-object.ts';
import { ApiServer } from '../api-server.ts';
import { eventually } from '../daemon.ts';
import { kubernetesVersion } from '../kubernetes-programs.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'calico-definitions-'));
let server: ApiServer;

before(async () => {
  server = await ApiServer.start({ folder: join(folder, 'server'), mutates: true });
  await server.kubectl(['apply', '--server-side', '--filename', join(root, 'manifests/crds')]);
  await server.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function calicoctl(...line: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCalicoctl(line, {
    environment: { KUBECONFIG: server.kubeconfig },
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

test('kubectl and kube-apiserver are of the version that was asked for', async () => {
  const { clientVersion, serverVersion } = JSON.parse(await server.kubectl(['version', '--output=json']));
  const version = kubernetesVersion();
  assert.deepEqual([clientVersion.gitVersion, serverVersion.gitVersion], [version, version]);
});

test('it refuses what the embedded server refuses, in the same words', async () => {
  const judged = everyRefusal.filter(({ byServer }) => byServer).map(({ object }) => object);
  const file = write('judged.yaml', toYaml(judged));
  const error = await server.kubectl(['create', '--filename', file]).catch((error: Error) => error);
  assert.ok(error instanceof Error, 'it took what the embedded server refuses');
  const said = error.message.slice(error.message.indexOf('Error from server')).replaceAll(file, 'FILE');
  const expected = readFileSync(join(root, 'test/data/refusals.txt'), 'utf8');
  assert.deepEqual(said.trimEnd().split('\n'), expected.trimEnd().split('\n'));
});

test('it takes every kind from kubectl and keeps every field, with the same defaults', async () => {
  const file = write('all.yaml', toYaml(everyObject.map(asCreated)));
  await server.kubectl(['create', '--filename', file]);
  const list = JSON.parse(await server.kubectl(['get', '--filename', file, '--output', 'json']));
  for (const object of list.items) delete object.metadata.managedFields;
  assert.deepEqual(list.items.map(written), everyObject.map(asCreated));
});

test('calicoctl shows, applies and deletes every kind on it', async () => {
  const file = join(folder, 'all.yaml');
  const list = parse(await calicoctl('get', '-f', file, '-o', 'yaml'));
  assert.deepEqual(list.items.map(written), everyObject.map(asCreated));
  assert.doesNotMatch(await calicoctl('apply', '-f', file), / (created|configured)$/m);
  assert.equal((await calicoctl('delete', '-f', file)).match(/ deleted$/gm)?.length, everyObject.length);
});

/** Types and labels of a policy that kubectl applies. */
async function applied(spec: object, labels?: Record<string, string>): Promise<unknown> {
  const policy = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: 'admitted', namespace: 'default', ...(labels && { labels }) },
    spec,
  };
  const file = write('admitted.yaml', toYaml([policy]));
  await server.kubectl(['replace', '--force', '--filename', file]);
  const { metadata, spec: stored } = JSON.parse(await server.kubectl(['get', '-f', file, '-o', 'json']));
  return { labels: metadata.labels, types: stored.types };
}

test('by the admission of the chart policies get their types and the label of their tier', async () => {
  // Version 1.34 serves the same objects as beta.
  const manifest = readFileSync(join(root, 'manifests/calico-policy-admission.yaml'), 'utf8');
  const beta = manifest.replaceAll(
    'admissionregistration.k8s.io/v1\n',
    'admissionregistration.k8s.io/v1beta1\n',
  );
  await server.kubectl(['apply', '--filename', write('admission.yaml', beta)]);
  const label = (tier: string) => ({ 'projectcalico.org/tier': tier });
  // They are at work some moments after they are there.
  await eventually(
    'policies are admitted',
    async () =>
      JSON.stringify(await applied({})) === JSON.stringify({ labels: label('default'), types: ['Ingress'] }),
    { everyMs: 250 },
  );
  const rules = [{ action: 'Allow' }];
  assert.deepEqual(await applied({ tier: 'net', egress: rules }, { a: 'b', ...label('default') }), {
    labels: { a: 'b', ...label('net') },
    types: ['Egress'],
  });
  assert.deepEqual(await applied({ ingress: [], egress: rules }, { a: 'b' }), {
    labels: { a: 'b', ...label('default') },
    types: ['Ingress', 'Egress'],
  });
  assert.deepEqual(await applied({ types: ['Egress'], ingress: rules }), {
    labels: label('default'),
    types: ['Egress'],
  });
  // No tier can have that name, nor a label that value; it is not for admission to refuse it.
  assert.deepEqual(await applied({ tier: 'no(tier)' }, { a: 'b' }), {
    labels: { a: 'b' },
    types: ['Ingress'],
  });
  await applied({});
  const found = await server.kubectl([
    'get',
    'networkpolicies.projectcalico.org',
    '--selector=projectcalico.org/tier=default',
    '--output=name',
  ]);
  assert.equal(found, 'networkpolicy.projectcalico.org/admitted\n');
});

test('a draft that deletes a policy is admitted without types', async () => {
  const draft = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'StagedNetworkPolicy',
    metadata: { name: 'admitted', namespace: 'default' },
    spec: { stagedAction: 'Delete' },
  };
  const file = write('draft.yaml', toYaml([draft]));
  await server.kubectl(['create', '--filename', file]);
  const { metadata, spec } = JSON.parse(await server.kubectl(['get', '-f', file, '-o', 'json']));
  assert.deepEqual([metadata.labels, spec.types], [{ 'projectcalico.org/tier': 'default' }, undefined]);
});
