// Compiles the shim into one executable, once per state of its sources.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * Path of the compiled shim, as CALICO_CNI_PLUGIN says where there are no sources; takes a second when it has to be made first.
 * @throws Error when bun, which compiles it, is not installed
 */
export function shimPath(): string {
  if (process.env.CALICO_CNI_PLUGIN) return process.env.CALICO_CNI_PLUGIN;
  const sources = globSync('src/cni/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .sort();
  const hash = createHash('sha256');
  for (const file of [...sources, 'package.json']) hash.update(readFileSync(join(root, file)));
  const folder = join(root, '.cache', 'shim', hash.digest('hex').slice(0, 16));
  const path = join(folder, 'calico');
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Under another name until it is whole, so that two who build at once do not run each other's halves.
  const unfinished = `${path}.${process.pid}`;
  execFileSync(
    bunPath(),
    [
      'build',
      '--compile',
      '--minify',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      join(root, 'src/cni/shim/main.ts'),
      '--outfile',
      unfinished,
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  renameSync(unfinished, path);
  return path;
}

/** The build for processors without AVX2 runs everywhere, and what it compiles does too. */
function bunPath(): string {
  const name = arch() === 'arm64' ? 'bun-linux-aarch64' : 'bun-linux-x64-baseline';
  const path = join(root, 'node_modules', '@oven', name, 'bin', 'bun');
  if (!existsSync(path))
    throw new Error(`Cannot compile the CNI shim: there is no bun at "${path}"; run "npm install"`);
  return path;
}
