// Our own image, without a container engine: BIRD and the C and C++ libraries out of Debian's packages, the pinned Node.js, the
// bundled programs, the CNI plugin. images/Dockerfile builds the same with one.
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';
import { bundleNodePrograms } from '../setup/bundle/node-programs.ts';
import { cached, digestOf } from '../setup/cache.ts';
import { librariesOf, unpackedPackages } from '../setup/debian-packages.ts';
import { shimPath } from '../src/cni/index.ts';
import { writeOciArchive } from './oci-archive.ts';

const programs = ['calico-node', 'calico-kube-controllers', 'calicoctl'] as const;

/** As the bundles call it, which have no other way to know where the compiled plugin is. */
export const pluginPath = '/usr/lib/calico/cni/calico';

/** What of Debian's is in it: BIRD, the old iptables, whose tables only its own tools know, and the libraries of Node.js. */
export const debianPackages = ['bird2', 'iptables', 'libatomic1', 'libstdc++6'] as const;

export const entrypoint = '/usr/bin/calico-node';

/** Writes the archive of an image with that name. `scratch` is a folder for its parts, which is removed. Plugins are the bundler's. */
export async function buildCalicoImage(
  name: string,
  archive: string,
  scratch: string,
  plugins: readonly Plugin[] = [],
): Promise<void> {
  rmSync(scratch, { recursive: true, force: true });
  const root = join(scratch, 'programs');
  await writeProgramsLayer(root, plugins);
  writeOciArchive(
    {
      name,
      layers: [systemLayer(), root],
      entrypoint: [entrypoint],
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CALICO_CNI_PLUGIN: pluginPath },
    },
    archive,
    join(scratch, 'archive'),
  );
  rmSync(scratch, { recursive: true, force: true });
}

/** Lays out below a folder what of the image is ours. */
export async function writeProgramsLayer(root: string, plugins: readonly Plugin[] = []): Promise<void> {
  const folder = join(root, 'usr/lib/calico');
  mkdirSync(join(folder, 'cni'), { recursive: true });
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  await bundleNodePrograms(folder, plugins);
  cpSync(shimPath(), join(root, pluginPath));
  for (const program of programs) {
    const path = join(root, 'usr/bin', program);
    writeFileSync(path, `#!/usr/bin/node\nimport('/usr/lib/calico/${program}/${program}.js');\n`);
    chmodSync(path, 0o755);
  }
}

/** What changes with Debian and Node.js, not with us. */
function systemLayer(): string {
  const packages = unpackedPackages([...debianPackages, ...librariesOf([...debianPackages])]);
  return cached(`image-base/${digestOf([import.meta.filename], packages, process.execPath)}`, (root) => {
    cpSync(packages, root, { recursive: true, verbatimSymlinks: true });
    for (const folder of ['man', 'locale', 'lintian', 'bug']) {
      rmSync(join(root, 'usr/share', folder), { recursive: true, force: true });
    }
    for (const folder of ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    symlinkSync('/run', join(root, 'var/run'));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/usr/sbin/nologin\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
    cpSync(process.execPath, join(root, 'usr/bin/node'));
  });
}
