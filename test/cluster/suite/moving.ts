// docs/migrate-from-calico.md, command by command, on a real Kubernetes: what becomes of the cluster's objects and of the programs on its
// nodes. What becomes of pods that talk meanwhile is in test/migration.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { kubernetesPrograms } from '../kubernetes-programs.ts';
import { apply, podManifest, readyPods } from '../pods.ts';
import { leftovers } from '../run-folder.ts';
import { installOldCalico } from '../scenarios/old-calico.ts';
import { testImages } from '../test-images.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/migrate-from-calico.md'), 'utf8');

/** The commands of the section of that number. */
function commandsOf(section: number): string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}. `)) ?? '';
  const blocks = [...text.matchAll(/^ {4}(\S(?:\\\n|.)*)$/gm)];
  return blocks.map(([, command = '']) => command);
}

let cluster: Cluster;
let programs: string;
before(async () => {
  cluster = await Cluster.start({ nodes: 2, images: [...testImages(), await calicoImage()] });
  programs = join(cluster.run.path, 'programs');
  mkdirSync(programs);
  const write = (name: string, command: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  write('kubectl', `${kubernetesPrograms()} kubectl`);
  write('calicoctl', `${process.execPath} ${join(root, 'bin/calicoctl.ts')}`);
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

/** As people type it, in the folder of the project. */
function type(command: string): Promise<string> {
  return cluster.api.runClient(['sh', '-ec', `cd ${root}\n${command}`], {
    PATH: `${programs}:${process.env.PATH}`,
  });
}

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
  for (const command of commandsOf(1)) assert.match(await type(command), /^IPPool +1 +0 +0 +0$/m);
});

test('its objects are copied, and it is no longer in charge', async () => {
  for (const command of commandsOf(2)) await type(command);
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
  const commands = commandsOf(3);
  const perNode = commands.filter((command) => command.includes('NODE'));
  for (const command of commands) if (!perNode.includes(command)) await type(command);
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
      if (!here.includes('--watch')) await type(here);
      else {
        await eventually(`calico-node is ready on ${node}`, async () =>
          / 1\/1 +Running/.test(await type(here.replace(/--watch.*/, ''))),
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
  const { findings } = JSON.parse(await type('calicoctl doctor -o json')) as {
    findings: { check: string }[];
  };
  assert.deepEqual(
    findings.map(({ check }) => check),
    ['versions-differ'],
  );
  for (const command of commandsOf(4)) await type(command);
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
