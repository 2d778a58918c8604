// `npm test [-- FILE-PATTERN...]`: runs every test with node:test, in this clone, with the pinned runtime.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const patterns = process.argv.slice(2);
const args = ['--test', '--test-timeout=120000', `--import=${join(import.meta.dirname, 'seed.ts')}`];
// Namespaces, veth pairs and tables are made in the real kernel, so most of the suite needs root. It fails rather
// than skips without, because a suite that silently tests less proves less.
if (process.getuid?.() !== 0) {
  process.stderr.write('calico-ts: the tests make network namespaces and need root; run them as root\n');
  process.exit(1);
}
const child = spawn(
  process.execPath,
  [...args, ...(patterns.length > 0 ? patterns : ['src/**/*.test.ts', 'test/**/*.test.ts'])],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
