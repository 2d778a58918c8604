// `npm run check`: types, format and lint, floors between rooms, unused exports. `--fix` formats instead.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkFloors } from './floors.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

function run(title: string, command: string, args: readonly string[]): boolean {
  const started = performance.now();
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  const passed = result.status === 0;
  console.log(
    `${passed ? 'ok  ' : 'FAIL'} ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
  if (!passed) console.log(`${result.stdout}${result.stderr}${result.error?.message ?? ''}`);
  return passed;
}

if (process.argv.includes('--fix')) {
  process.exit(run('format', bin('biome'), ['check', '--write', '.']) ? 0 : 1);
}

const faults = checkFloors(root);
console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} floors`);
for (const fault of faults) console.log(`  ${fault}`);
const results = [
  faults.length === 0,
  run('types', bin('tsc'), ['-p', '.']),
  run('format and lint', bin('biome'), ['check', '--error-on-warnings', '.']),
  run('unused exports and packages', bin('knip'), []),
];
const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
