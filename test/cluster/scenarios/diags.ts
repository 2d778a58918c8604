// What `calicoctl cluster diags` packs of a cluster of real kubelets: the logs of Calico's programs above all.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import { type } from '../guide.ts';
import { runCommand } from '../run-command.ts';

/** Once calico-node has been started again, on some node. */
export async function diags(cluster: Cluster): Promise<void> {
  const folder = join(cluster.run.path, 'diags');
  mkdirSync(folder);
  await type(cluster, `cd ${folder} && calicoctl cluster diags`);
  const [name = assert.fail('there is no archive')] = readdirSync(folder);
  const archive = join(folder, name);
  const files = (await runCommand(['tar', '--list', '--gzip', '--file', archive])).split('\n');
  const count = (pattern: RegExp) => files.filter((file) => pattern.test(file)).length;
  const own = /logs\/calico-system\/calico-node-\w+\/calico-node\.log$/;
  assert.deepEqual([count(own), count(/calico-kube-controllers-.*\.log$/) > 0], [3, true], files.join('\n'));
  assert.notEqual(count(/\.previous\.log$/), 0);
  assert.deepEqual(
    files.filter((file) => file.endsWith('.error')),
    [],
  );
  const logs = await runCommand([
    'tar',
    '--extract',
    '--to-stdout',
    '--gzip',
    '--wildcards',
    '--file',
    archive,
    '*/calico-node.log',
  ]);
  assert.equal(logs.match(/"msg":"Ready"/g)?.length, 3);
}
