// calicoctl as people have it: bundled, packed, and installed into a folder of its own, away from the sources.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { bundleCalicoctl } from '../../setup/bundle/calicoctl.ts';
import { run } from './api-cluster.ts';

/** Installs below `folder` and returns the folder of its programs, `calicoctl` and `kubectl-calico`. */
export async function installCalicoctl(folder: string): Promise<string> {
  const source = join(folder, 'bundle');
  await bundleCalicoctl(source);
  const npm = async (...arguments_: string[]) => {
    const environment = { npm_config_cache: join(folder, 'npm-cache'), npm_config_update_notifier: 'false' };
    const { code, stdout, stderr } = await run(['npm', ...arguments_], { folder, environment });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const archive = await npm('pack', '--silent', source);
  const prefix = join(folder, 'prefix');
  const quietly = ['--silent', '--offline', '--omit=optional'];
  await npm('install', ...quietly, '--global', '--prefix', prefix, join(folder, archive));
  return join(prefix, 'bin');
}
