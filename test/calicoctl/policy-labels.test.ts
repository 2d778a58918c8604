// The types of a policy and the label of its tier: filled in by the API server where it has admission for that, by calicoctl's
// writing commands where it has not, and in what calicoctl shows of policies that others have stored without.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { parse } from 'yaml';
import { globalNetworkPolicies, networkPolicies, stagedNetworkPolicies } from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

const label = 'projectcalico.org/tier';
const apiVersion = 'projectcalico.org/v3';
let cluster: ApiCluster;
afterEach(() => cluster[Symbol.asyncDispose]());

const yaml = (spec: string, { kind = 'NetworkPolicy', labels = '' } = {}) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: p${labels}}\nspec: ${spec}\n`;

/** Labels and types of the one policy. */
async function stored(kind = networkPolicies): Promise<unknown> {
  const [policy] = await cluster.store.list(kind);
  return [policy?.metadata.labels, policy?.spec.types];
}

async function calicoctl(words: string, stdin = ''): Promise<string> {
  const { code, stdout, stderr } = await cluster.run(words.split(' '), { stdin });
  assert.equal(code, 0, stderr);
  return stdout;
}

async function kubectl(words: string, stdin = ''): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(words.split(' '), { stdin });
  assert.equal(code, 0, stderr);
  return stdout;
}

test('kubectl finds a policy by the tier that it is in, and in the new one when it moves', async () => {
  cluster = await ApiCluster.start({ withAdmission: true });
  const find = (tier: string) =>
    kubectl(`get networkpolicies.projectcalico.org -l ${label}=${tier} -o jsonpath={.items[*].spec.types}`);
  const text = yaml('{egress: [{action: Allow}]}', { labels: `, labels: {${label}: other}` });
  await kubectl('apply -f -', text);
  assert.equal(await find('default'), '["Egress"]');
  await kubectl('patch networkpolicies.projectcalico.org p --type=merge -p {"spec":{"tier":"net"}}');
  assert.equal(await find('default'), '');
  assert.equal(await find('net'), '["Egress"]');
});

for (const kind of ['GlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedGlobalNetworkPolicy']) {
  test(`kubectl finds a ${kind} by its tier`, async () => {
    cluster = await ApiCluster.start({ withAdmission: true });
    await kubectl('apply -f -', yaml('{tier: net}', { kind }));
    assert.match(
      await kubectl(`get ${kind.toLowerCase()}.projectcalico.org -l ${label}=net -o name`),
      /\/p\n$/,
    );
  });
}

test('calicoctl writes what an API server may not fill in', async () => {
  cluster = await ApiCluster.start();
  await calicoctl('create -f -', yaml('{egress: [{action: Allow}]}'));
  assert.deepEqual(await stored(), [{ [label]: 'default' }, ['Egress']]);
  await kubectl('label networkpolicies.projectcalico.org p a=b');
  const moved = yaml('{tier: net, ingress: [], egress: [{action: Allow}]}');
  assert.equal(await calicoctl('apply -f -', moved), 'NetworkPolicy "default/p" configured\n');
  assert.deepEqual(await stored(), [{ a: 'b', [label]: 'net' }, ['Egress']]);
  assert.equal(await calicoctl('apply -f -', moved), 'NetworkPolicy "default/p" unchanged\n');
  await calicoctl('replace -f -', yaml('{}'));
  assert.deepEqual(await stored(), [{ [label]: 'default' }, ['Ingress']]);
});

for (const [type, patch] of [
  ['merge', '{"spec":{"tier":"net","types":null}}'],
  ['json', '[{"op":"replace","path":"/spec/tier","value":"net"},{"op":"remove","path":"/spec/types"}]'],
] as const) {
  test(`a ${type} patch by calicoctl takes the label and the types along`, async () => {
    cluster = await ApiCluster.start();
    await calicoctl('create -f -', yaml('{types: [Ingress], egress: [{action: Allow}]}'));
    const line = `patch networkpolicy p -t ${type} -p ${patch}`;
    assert.equal(await calicoctl(line), 'NetworkPolicy "default/p" patched\n');
    assert.deepEqual(await stored(), [{ [label]: 'net' }, ['Egress']]);
  });
}

test('a patch that changes nothing says so', async () => {
  cluster = await ApiCluster.start();
  await calicoctl('create -f -', yaml('{order: 1}'));
  const line = 'patch networkpolicy p -p {"spec":{"order":1}}';
  assert.equal(await calicoctl(line), 'NetworkPolicy "default/p" unchanged\n');
});

test('calicoctl shows types and label of policies that were stored without them', async () => {
  cluster = await ApiCluster.start();
  const spec = { egress: [{ action: 'Allow' as const }] };
  const wrong = { name: 'p', namespace: 'default', labels: { [label]: 'elsewhere' } };
  await cluster.store.create(networkPolicies, { apiVersion, kind: 'NetworkPolicy', metadata: wrong, spec });
  const metadata = { name: 'p' };
  await cluster.store.create(globalNetworkPolicies, {
    apiVersion,
    kind: 'GlobalNetworkPolicy',
    metadata,
    spec: { ...spec, tier: 'net' },
  });
  const said = (text: string) => {
    const { metadata: shown, spec: rest } = parse(text);
    return [shown.labels, rest.types];
  };
  assert.deepEqual(said(await calicoctl('get networkpolicy p -o yaml')), [
    { [label]: 'default' },
    ['Egress'],
  ]);
  const [listed] = parse(await calicoctl('get gnp -o yaml')).items;
  assert.deepEqual([listed.metadata.labels, listed.spec.types], [{ [label]: 'net' }, ['Egress']]);
});

test('a draft that deletes gets its label and no types', async () => {
  cluster = await ApiCluster.start();
  await calicoctl('apply -f -', yaml('{stagedAction: Delete, tier: net}', { kind: 'StagedNetworkPolicy' }));
  const [policy] = await cluster.store.list(stagedNetworkPolicies);
  assert.deepEqual([policy?.metadata.labels, policy?.spec.types], [{ [label]: 'net' }, undefined]);
});

test('the label of the tier cannot be set to another', async () => {
  cluster = await ApiCluster.start();
  await calicoctl('create -f -', yaml('{}'));
  const { code, stderr } = await cluster.run(['label', 'networkpolicy', 'p', `${label}=net`, '--overwrite']);
  assert.equal(code, 1);
  assert.match(stderr, /it is always the policy's tier, "default"; change spec\.tier/);
});
