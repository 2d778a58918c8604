// What our own set-up says on a machine that lacks what it is made with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const setup = join(import.meta.dirname, '..', '..', 'setup');
const empty = mkdtempSync(join(tmpdir(), 'ct-tools-'));
after(() => rmSync(empty, { recursive: true }));

/** What a program says that finds no other, and nothing that was fetched before. */
function said(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { PATH: empty, HOME: empty, XDG_CACHE_HOME: empty },
  });
  return { status, stderr };
}

test('without Go the cluster of tests says which to install', () => {
  const { status, stderr } = said(join(setup, 'test-cluster.ts'));
  assert.deepEqual([status, stderr], [1, 'calico-ts: install Go 1.26 or newer, which builds Kubernetes\n']);
});

for (const [name, call] of [
  ['packages', "unpackedPackages(['containerd', 'runc'])"],
  ['libraries', "librariesOf(['containerd', 'runc'])"],
] as const) {
  test(`without apt, who wants ${name} is told where they come from`, () => {
    const program = `import(${JSON.stringify(join(setup, 'debian-packages.ts'))}).then((all) => all.${call})`;
    const { status, stderr } = said('--eval', program);
    assert.equal(status, 1);
    assert.match(stderr, /Cannot fetch containerd, runc: they come from Debian or Ubuntu with apt-get/);
    assert.match(stderr, /spawnSync apt-\w+ ENOENT/);
  });
}
