// `npm test [-- FILE-PATTERN...]`: runs every test with node:test, in this clone, with the pinned runtime.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Tests with programs that not every distribution packages. In CI they run, and fail where the program is missing. */
const demanding = [
  {
    command: 'kubectl',
    remedy: 'install kubectl as https://kubernetes.io/docs/tasks/tools says',
    files: [
      'test/apiserver/kubectl.test.ts',
      'test/calicoctl/configuration.test.ts',
      'test/calicoctl/every-kind.test.ts',
      'test/lab/up.test.ts',
    ],
  },
  { command: 'go', remedy: 'install Go 1.21 or newer', files: ['test/cni/cnitool.test.ts'] },
];

// Namespaces, veth pairs and tables are made in the real kernel, so most of the suite needs root. It fails rather
// than skips without, because a suite that silently tests less proves less.
if (process.getuid?.() !== 0) {
  process.stderr.write('calico-ts: the tests make network namespaces and need root; run them as root\n');
  process.exit(1);
}

const isOnPath = (command: string) =>
  (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, command)));
const missing = process.env.CI === 'true' ? [] : demanding.filter(({ command }) => !isOnPath(command));
const leftOut = new Set(missing.flatMap(({ files }) => files));
const sayWhatIsLeftOut = () => {
  for (const { command, remedy, files } of missing) {
    process.stderr.write(
      `calico-ts: there is no ${command}, so ${files.join(', ')} were not run; ${remedy}\n`,
    );
  }
};

const patterns = process.argv.slice(2);
const files =
  patterns.length > 0
    ? patterns
    : globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root }).filter((file) => !leftOut.has(file));
const args = ['--test', '--test-timeout=120000', `--import=${join(import.meta.dirname, 'seed.ts')}`];
const child = spawn(process.execPath, [...args, ...files.toSorted()], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  if (patterns.length === 0) sayWhatIsLeftOut();
  process.exit(code ?? 1);
});
