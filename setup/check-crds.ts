// `npm run check:crds`: asks Kubernetes' own code whether an API server would accept our custom resource definitions. Needs Go
// to build it, once, into the cache; where Go is not at hand this says so and ends with 1.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const source = join(root, 'test', 'crds', 'kubernetes');

function build(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, file)));
  const folder = join(root, '.cache', 'check-crds');
  const path = join(folder, hash.digest('hex').slice(0, 16));
  if (existsSync(path)) return path;
  if (spawnSync('go', ['version']).status !== 0) {
    process.stderr.write('calico-ts: there is no "go"; install Go 1.26 or newer to check the definitions\n');
    process.exit(1);
  }
  process.stderr.write("calico-ts: building Kubernetes' check of definitions, once (a minute or two)\n");
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  // With the flags of all that is built with Go here, so that they share what they have compiled.
  const { status } = spawnSync('go', ['build', '-trimpath', '-o', unfinished, '.'], {
    cwd: source,
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  if (status !== 0) process.exit(status ?? 1);
  renameSync(unfinished, path);
  return path;
}

const files = globSync('manifests/crds/*.yaml', { cwd: root }).toSorted();
if (files.length === 0) throw new Error('There are no definitions under manifests/crds');
const { status } = spawnSync(build(), files, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
