// Programs out of Debian's packages, unpacked into the cache and never installed: installing containerd or etcd would start
// them on the machine, beside whatever runs there already.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, digestOf } from '../../setup/cache.ts';

/**
 * A folder with these packages unpacked over each other: usr/bin/..., usr/lib/... Nothing that they depend on comes with them.
 * @throws Error that says what to do where there is no apt-get
 */
export function unpackedPackages(names: readonly string[]): string {
  return cached(
    `debian/${digestOf(['/etc/os-release'], process.arch, ...names.toSorted())}`,
    (unfinished) => {
      const archives = join(unfinished, '.archives');
      mkdirSync(archives, { recursive: true });
      process.stderr.write(`calico-ts: fetching ${names.join(', ')} with apt-get, without installing them\n`);
      // Lists of packages may be missing or name versions that are gone.
      if (run(archives, 'apt-get', ['download', ...names]) !== undefined)
        run(archives, 'apt-get', ['update']);
      const fault = run(archives, 'apt-get', ['download', ...names]);
      if (fault !== undefined) {
        throw new Error(
          `Cannot fetch ${names.join(', ')}: they come from Debian or Ubuntu with apt-get:\n${fault}`,
        );
      }
      for (const archive of readdirSync(archives)) {
        const broken = run(archives, 'dpkg-deb', ['--extract', archive, unfinished]);
        if (broken !== undefined) throw new Error(`Cannot unpack ${archive}: ${broken}`);
      }
      rmSync(archives, { recursive: true });
    },
  );
}

/** What it said when it failed; undefined when it did not. */
function run(cwd: string, command: string, args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr);
}
