// Our own image as the tests' nodes get it, under the name that the manifests have; and one of a version that is newer.
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';
import { buildCalicoImage } from '../../images/calico-image.ts';
import { digestOf } from '../../setup/cache.ts';
import { version } from '../../src/calicoctl/version.ts';
import { manifest } from './install.ts';

const root = join(import.meta.dirname, '../..');

/** Path of the archive; made anew when anything of it has changed. */
export async function calicoImage(): Promise<string> {
  const name = /image: "?(calico-ts\/calico:[^"\s]+)/.exec(
    readFileSync(manifest('calico.yaml'), 'utf8'),
  )?.[1];
  if (!name) throw new Error('manifests/calico.yaml names no image of calico-ts/calico');
  return built(name);
}

export const newer = {
  image: 'calico-ts/calico:v99.0.0',
  /** What stands on its table. */
  layout: 'calico-ts, layout 99',
};

/** What the newer version has changed, by files: it calls itself newer, and its table is of another layout, with base chains of other names. */
const changes: Readonly<Record<string, readonly [string | RegExp, string]>> = {
  'src/calicoctl/version.ts': [`'${version}'`, "'99.0.0'"],
  'src/dataplane/nftables/take-over.ts': [/calico-ts, layout \d+/, newer.layout],
  'src/dataplane/nftables/names.ts': [/'cali-forward-/g, "'cali-onward-"],
};

/** Path of the archive of other programs than the present ones, as a later release has them. */
export function newerCalicoImage(): Promise<string> {
  const plugin: Plugin = {
    name: 'newer',
    transform(code, id) {
      const file = id.slice(root.length + 1);
      const change = changes[file];
      if (!change) return undefined;
      const changed = code.replace(...change);
      if (changed === code) throw new Error(`${file} has no ${change[0]} that a newer version could change`);
      return changed;
    },
  };
  return built(newer.image, [plugin], [import.meta.filename]);
}

async function built(
  name: string,
  plugins: readonly Plugin[] = [],
  makers: readonly string[] = [],
): Promise<string> {
  const sources = globSync(['{src,bin,images}/**/*.ts', 'setup/bundle/*', 'package-lock.json'], { cwd: root })
    .filter((file) => !file.endsWith('.test.ts') && !file.startsWith('src/lab/'))
    .toSorted()
    .map((file) => join(root, file));
  const folder = join(root, '.cache', 'image');
  const path = join(folder, `${digestOf([...sources, ...makers], name)}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // As Docker Hub's, which is where a runtime places a name without a registry.
  await buildCalicoImage(`docker.io/${name}`, `${path}.part`, `${path}.scratch`, plugins);
  renameSync(`${path}.part`, path);
  return path;
}
