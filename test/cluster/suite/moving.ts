// docs/migrate-from-calico.md, command by command, on a real Kubernetes: what becomes of the cluster's objects and of the programs on its
// nodes. What becomes of pods that talk meanwhile is in test/migration.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { Guide, type } from '../guide.ts';
import { calicoIsReady, installCalicoctl } from '../install.ts';
import { apply, podManifest, readyPods } from '../pods.ts';
import { leftovers } from '../run-folder.ts';
import { installOldCalico } from '../scenarios/old-calico.ts';
import { testImages } from '../test-images.ts';

const guide = new Guide('docs/migrate-from-calico.md');

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ nodes: 2, images: [...testImages(), await calicoImage()] });
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

/** Nodes on which such a program runs. */
async function nodesWith(namespace: string): Promise<string[]> {
  const jsonpath = '{range .items[*]}{.spec.nodeName}{"\\n"}{end}';
  const selection = [`--namespace=${namespace}`, '--selector=k8s-app=calico-node'];
  const text = await cluster.kubectl(['get', 'pods', ...selection, `--output=jsonpath=${jsonpath}`]);
  return text.split('\n').filter(Boolean).toSorted();
}

const names = () => cluster.nodes.map(({ name }) => name);

test('an old Calico is there, and what it has can be moved', async () => {
  await installOldCalico(cluster);
  await installCalicoctl(cluster);
  for (const command of guide.commandsOf('1. Look'))
    assert.match(await type(cluster, command), /^IPPool +1 +0 +0 +0$/m);
});

test('its objects are copied, and it is no longer in charge', async () => {
  for (const command of guide.commandsOf('2. Declare')) await type(cluster, command);
  assert.match(await cluster.kubectl(['get', 'ippools.projectcalico.org']), /the-old-pool/);
  assert.match(await cluster.kubectl(['get', 'globalnetworkpolicies.projectcalico.org']), /nobody-mines/);
  const ready = [
    'clusterinformations.crd.projectcalico.org',
    'default',
    '--output=jsonpath={.spec.datastoreReady}',
  ];
  assert.equal(await cluster.kubectl(['get', ...ready]), 'false');
});

test('nodes change over one after another, and neither two nor none run on one for long', async () => {
  const commands = guide.commandsOf('3. Take');
  const perNode = commands.filter((command) => command.includes('NODE'));
  for (const command of commands) if (!perNode.includes(command)) await type(cluster, command);
  await eventually('ours is known, and wanted nowhere', async () => {
    const status = [
      '--namespace=calico-system',
      '--output=jsonpath={.status.desiredNumberScheduled} {.status.observedGeneration}',
    ];
    return (await cluster.kubectl(['get', 'daemonset/calico-node', ...status])) === '0 1';
  });
  assert.deepEqual(await nodesWith('kube-system'), names());
  for (const [position, node] of names().entries()) {
    for (const command of perNode) {
      const here = command.replaceAll('NODE', node);
      if (!here.includes('--watch')) await type(cluster, here);
      else {
        await eventually(`calico-node is ready on ${node}`, async () =>
          / 1\/1 +Running/.test(await type(cluster, here.replace(/--watch.*/, ''))),
        );
      }
    }
    assert.deepEqual(await nodesWith('calico-system'), names().slice(0, position + 1));
    assert.deepEqual(await nodesWith('kube-system'), names().slice(position + 1));
  }
  await calicoIsReady(cluster);
});

test('what the old one has left goes, and ours stays', async () => {
  // The old controllers are there still.
  const { findings } = JSON.parse(await type(cluster, 'calicoctl doctor -o json')) as {
    findings: { check: string }[];
  };
  assert.deepEqual(
    findings.map(({ check }) => check),
    ['versions-differ'],
  );
  for (const command of guide.commandsOf('4. Tidy')) await type(cluster, command);
  const left = await cluster.kubectl([
    'get',
    'all,configmaps,serviceaccounts',
    '--namespace=kube-system',
    '--output=name',
  ]);
  assert.doesNotMatch(left, /calico/);
  assert.doesNotMatch(await cluster.kubectl(['get', 'crds', '--output=name']), /crd\.projectcalico\.org/);
  await calicoIsReady(cluster);
  await apply(cluster, ...names().map((node) => podManifest({ name: `on-${node}`, node })));
  for (const { ip } of (
    await readyPods(
      cluster,
      names().map((node) => `on-${node}`),
    )
  ).values())
    assert.match(ip, /^192\.168\./);
});
