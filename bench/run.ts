// `npm run bench [-- NAME...]`: runs the benchmarks, one after another, each in a process of its own so that none warms another.
// Whatever one of them leaves behind when it is interrupted is removed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { deleteNamespace, namespacePath } from '../src/kernel/index.ts';

const all = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'run')
  .toSorted();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`"${unknown[0]}" is no benchmark; they are ${all.join(', ')}\n`);
  process.exit(2);
}

let interrupted = false;
for (const name of wanted.length > 0 ? wanted : all) {
  if (interrupted) break;
  console.log(`${name}:`);
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  const end = () => {
    interrupted = true;
    child.kill();
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', end).off('SIGTERM', end);
  if (code !== 0) process.exitCode = 1;
  removeNamespacesOf(child.pid ?? 0);
}

/** Benchmarks name the namespaces that they make after themselves and their process. */
function removeNamespacesOf(pid: number): void {
  const folder = dirname(namespacePath('any'));
  if (!existsSync(folder)) return;
  const theirs = new RegExp(`\\bbench\\b.*-${pid}\\b`);
  for (const name of readdirSync(folder)) if (theirs.test(name)) deleteNamespace(name);
}
