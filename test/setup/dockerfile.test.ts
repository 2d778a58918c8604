// images/Dockerfile is for who has a container engine, which these tests need not: it has to say what our own way of making the
// image does.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { debianPackages, entrypoint, pluginPath } from '../../images/calico-image.ts';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'images', 'Dockerfile'), 'utf8').replaceAll(/\\\n\s*/g, '');

test('the Dockerfile installs what our image has of Debian', () => {
  const [, names = ''] = /apt-get install --yes --no-install-recommends ([^&]+?) *&&/.exec(dockerfile) ?? [];
  assert.deepEqual(names.split(' '), [...debianPackages]);
});

test('the Dockerfile starts the same program, and knows the same plugin', () => {
  assert.match(dockerfile, new RegExp(`^ENTRYPOINT \\["${entrypoint}"\\]$`, 'm'));
  assert.match(dockerfile, new RegExp(`^ENV CALICO_CNI_PLUGIN=${pluginPath}$`, 'm'));
});

test('the Dockerfile takes the Node.js that our image has', () => {
  const [, path = ''] = /^COPY --from=build \/calico\/(\S+\/node) \/usr\/bin\/$/m.exec(dockerfile) ?? [];
  assert.deepEqual(globSync(path, { cwd: root }), [relative(root, process.execPath)]);
});

// At the root, where every builder looks for it: Docker without BuildKit and older Podman read none beside the Dockerfile.
test('of what Git does not know, nothing comes into the build', () => {
  const linesOf = (name: string) =>
    readFileSync(join(root, name), 'utf8')
      .split('\n')
      .map((line) => line.replace(/\/$/, ''));
  const wanted = ['.git', ...linesOf('.gitignore').map((line) => line.replace(/^\*/, '**/*'))];
  assert.deepEqual(
    wanted.filter((line) => !linesOf('.dockerignore').includes(line)),
    [],
  );
});
