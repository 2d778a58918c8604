// Our own image as the tests' nodes get it, under the name that the manifests have.
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { buildCalicoImage } from '../../images/calico-image.ts';
import { digestOf } from '../../setup/cache.ts';
import { manifest } from './install.ts';

const root = join(import.meta.dirname, '../..');

/** Path of the archive; made anew when anything of it has changed. */
export async function calicoImage(): Promise<string> {
  const name = /image: "?(calico-ts\/calico:[^"\s]+)/.exec(
    readFileSync(manifest('calico.yaml'), 'utf8'),
  )?.[1];
  if (!name) throw new Error('manifests/calico.yaml names no image of calico-ts/calico');
  const sources = globSync(['{src,bin,images}/**/*.ts', 'setup/bundle/*', 'package-lock.json'], { cwd: root })
    .filter((file) => !file.endsWith('.test.ts') && !file.startsWith('src/lab/'))
    .toSorted()
    .map((file) => join(root, file));
  const folder = join(root, '.cache', 'image');
  const path = join(folder, `${digestOf(sources, name)}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // As Docker Hub's, which is where a runtime places a name without a registry.
  await buildCalicoImage(`docker.io/${name}`, `${path}.part`, `${path}.scratch`);
  renameSync(`${path}.part`, path);
  return path;
}
