// Programs out of Debian's packages, unpacked into the cache and never installed: installing containerd or etcd would start
// them on the machine, beside whatever runs there already.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, digestOf } from './cache.ts';

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
      if (fault !== undefined) throw unfetched(names, fault);
      for (const archive of readdirSync(archives)) {
        const broken = run(archives, 'dpkg-deb', ['--extract', archive, unfinished]);
        if (broken !== undefined) throw new Error(`Cannot unpack ${archive}: ${broken}`);
      }
      rmSync(archives, { recursive: true });
    },
  );
}

/**
 * The packages of libraries that these need, and that those need in turn; of the packages that are named, none.
 * @throws Error that says what to do where there is no apt-cache
 */
export function librariesOf(names: readonly string[]): string[] {
  const found = new Set<string>();
  for (let level = names; level.length > 0; ) {
    const depends = ['depends', '--important', ...level];
    const { status, error, stdout, stderr } = spawnSync('apt-cache', depends, { encoding: 'utf8' });
    if (status !== 0) throw unfetched(names, error?.message ?? stderr);
    const needed = [...stdout.matchAll(/^ *(?:Pre)?Depends: ((?:lib|zlib)\S+)$/gm)].flatMap(
      ([, name]) => name ?? [],
    );
    level = [...new Set(needed)].filter((name) => !found.has(name));
    for (const name of level) found.add(name);
  }
  return [...found].toSorted();
}

function unfetched(names: readonly string[], fault: string): Error {
  return new Error(
    `Cannot fetch ${names.join(', ')}: they come from Debian or Ubuntu with apt-get and apt-cache, so run this there:\n${fault}`,
  );
}

/** What it said when it failed; undefined when it did not. */
function run(cwd: string, command: string, args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr);
}
