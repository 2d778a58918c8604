// `npm run build [-- calicoctl | image | image-programs]`: builds what is shipped, below dist/. A clone needs none of it: there
// the sources run as they stand.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildCalicoImage, writeProgramsLayer } from '../images/calico-image.ts';
import { version } from '../src/calicoctl/version.ts';
import { bundleCalicoctl } from './bundle/calicoctl.ts';

const dist = join(import.meta.dirname, '..', 'dist');

const builds: Record<string, () => Promise<void>> = {
  async calicoctl() {
    const folder = emptied('calicoctl');
    await bundleCalicoctl(folder);
    console.log(`calicoctl is in ${folder}; "npm install --global ${folder}" installs it`);
  },
  /** As an archive, for container runtimes. */
  async image() {
    const archive = join(dist, 'calico-image.tar');
    // As Docker Hub's, which is where a runtime places a name without a registry.
    const name = `docker.io/calico-ts/calico:v${version}`;
    mkdirSync(dist, { recursive: true });
    await buildCalicoImage(name, archive, emptied('image'));
    console.log(`${name} is in ${archive}; "ctr --namespace k8s.io images import ${archive}" imports it`);
  },
  /** What of the image is ours, for images/Dockerfile. */
  async 'image-programs'() {
    const folder = emptied('image-programs');
    await writeProgramsLayer(folder);
    console.log(`What is ours of the image is in ${folder}`);
  },
};

const name = process.argv[2] ?? 'calicoctl';
const build = builds[name];
if (build) await build();
else {
  console.error(`calico-ts: there is no "${name}" to build; there are ${Object.keys(builds).join(', ')}`);
  process.exitCode = 1;
}

function emptied(part: string): string {
  const folder = join(dist, part);
  rmSync(folder, { recursive: true, force: true });
  return folder;
}
