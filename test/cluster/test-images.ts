// Images for pods of the tests, from Debian's static busybox: the shell that test pods run, and what holds a pod open.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { writeOciArchive } from '../../images/oci-archive.ts';
import { cached, digestOf } from '../../setup/cache.ts';
import { unpackedPackages } from '../../setup/debian-packages.ts';
import { pauseImage } from './node-configuration.ts';

export const busyboxImage = 'calico-test.local/busybox:1';

/** Of the program itself, for nodes. */
export function busyboxPath(): string {
  return join(unpackedPackages(['busybox-static']), 'bin/busybox');
}

/** Paths of the archives. */
export function testImages(): string[] {
  const busybox = busyboxPath();
  const writers = [import.meta.filename, join(import.meta.dirname, '../../images/oci-archive.ts')];
  const key = digestOf([busybox, ...writers]);
  const sleep = ['/bin/busybox', 'sleep', 'infinity'];
  return [pauseImage, busyboxImage].map((name) =>
    cached(`images/${name.replaceAll(/[/:]/g, '-')}-${key}.tar`, (path) => {
      const root = `${path}.root`;
      fill(root, busybox);
      writeOciArchive(
        { name, layers: [root], entrypoint: sleep, environment: { PATH: '/bin' } },
        path,
        `${path}.parts`,
      );
      execFileSync('rm', ['-rf', root]);
    }),
  );
}

function fill(root: string, busybox: string): void {
  for (const folder of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
    mkdirSync(join(root, folder), { recursive: true });
  cpSync(busybox, join(root, 'bin/busybox'));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', applet));
}
