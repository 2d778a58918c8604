// Makes a clone ready to run: npm packages as the lock file says and the pinned Node.js runtime.
// Plain JavaScript without dependencies, because it runs before anything is installed, on any Node.js from 18 on.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.calico-ts-lock');

/** Installs the npm packages when the lock file changed since the last time; costs two file reads when it did not. */
export function installPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(runtime())) return;
  say(
    'installing npm packages from package-lock.json, because they are missing or it changed (about a minute)',
  );
  // Not one of our packages needs an install script: koffi, bun and node ship their binaries inside packages.
  // Not "npm ci": it demands optional packages of every platform in the lock file, which a registry that mirrors only
  // some platforms cannot give. What the lock file names is installed as it says, and the file stays as it is.
  run(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm install',
  );
  if (!existsSync(runtime())) {
    fail(
      `npm installed no Node.js runtime at ${runtime()}: were optional dependencies left out ("npm config get omit")?`,
    );
  }
  writeFileSync(stamp, wanted);
}

/** Absolute path of the Node.js that the project pins, whether or not it is installed yet. */
export function runtime() {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  return join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
}

/**
 * Installs Debian packages whose command is missing. `wanted` maps a command, or a file's path, to {package, why}; one that is
 * `optional` may be unknown to the distribution, and then stays missing. Its `services` do not start, now or at boot: what
 * this project runs, it runs in namespaces of its own.
 */
export function installSystemPackages(wanted) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const isThere = (command) =>
    command.startsWith('/')
      ? existsSync(command)
      : path.split(':').some((folder) => folder && existsSync(join(folder, command)));
  const missing = Object.entries(wanted).filter(([command]) => !isThere(command));
  const needed = missing.filter(([, { optional }]) => !optional);
  if (needed.length > 0 && (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0)) {
    const names = needed.map(([, { package: name }]) => name).join(' ');
    fail(
      `missing: ${needed.map(([c, { why }]) => `${c} (${why})`).join(', ')}. Install ${names} and try again`,
    );
  }
  if (missing.length === 0 || !existsSync('/usr/bin/apt-get')) return;
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  const fault = needed.length > 0 ? aptInstall(needed) : undefined;
  if (fault !== undefined) fail(`apt-get install failed:\n${fault}`);
  for (const entry of missing.filter(([, { optional }]) => optional)) {
    if (aptInstall([entry]) !== undefined) say(`this distribution has no package "${entry[1].package}"`);
  }
}

/** Returns what apt-get said when it failed, undefined when it did not. */
function aptInstall(entries) {
  const names = entries.map(([, { package: name }]) => name);
  say(
    `installing ${names.join(', ')} with apt-get: ${entries.map(([c, { why }]) => `${c} ${why}`).join('; ')}`,
  );
  const services = entries.flatMap(([, { services = [] }]) => services);
  const { status, stderr } = withoutStarting(services, () =>
    spawnSync(
      'apt-get',
      // Another apt at work, as after the boot of a cloud's machine, holds dpkg's lock: seconds to wait for it.
      ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '-qq', '--no-install-recommends', ...names],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      },
    ),
  );
  return status === 0 ? undefined : String(stderr);
}

/** Installs with Debian's own means of keeping services down (invoke-rc.d(8)), and takes them out of the boot. */
function withoutStarting(services, install) {
  const policy = '/usr/sbin/policy-rc.d';
  if (services.length === 0) return install();
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (isOurs) rmSync(policy);
    if (existsSync('/run/systemd/system')) {
      spawnSync('systemctl', ['disable', '--quiet', ...services], { stdio: 'ignore' });
    }
  }
}

/** A folder for what is built from the sources and can be thrown away. */
export function cacheFolder() {
  const folder = join(root, '.cache');
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function say(line) {
  process.stderr.write(`calico-ts: ${line}\n`);
}

export function fail(line) {
  say(line);
  process.exit(1);
}

function run(command, args, what) {
  // Windows-style lookups are not a concern; npm is found on PATH even when npm itself started us.
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error) fail(`cannot run ${what}: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed with exit code ${result.status}`);
}
