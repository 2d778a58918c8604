// images/Dockerfile is for who has Docker, and is built by nobody here: it has to say what our own way of making the image does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const [major] = process.versions.node.split('.');
  assert.match(dockerfile, new RegExp(`^FROM node:${major}-bookworm AS build$`, 'm'));
});
