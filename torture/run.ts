// `npm run torture -- NAME [--minutes N] [--rounds N] [--seed N]`: runs one of the long loops, each its own program beside this
// file. They print their seed, and end with code 1 at the first round that proves something wrong. Ctrl-C ends them behind a round.
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { abortOnSignals } from '../src/lab/abort.ts';
import { readTortureOptions, type TortureOptions } from './options.ts';

interface TortureProgram {
  /** Resolves with whether everything held. */
  run(options: TortureOptions): Promise<boolean>;
}

const isProgram = (name: string) => !['run', 'options', 'random', 'report'].includes(name);
const programs = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter(isProgram)
  .toSorted();
const [name = '', ...args] = process.argv.slice(2);
if (!programs.includes(name)) {
  process.stderr.write(
    `"${name}" is no torture; say one of ${programs.join(', ')}, and --minutes, --rounds or --seed after it\n`,
  );
  process.exit(1);
}
const program = (await import(join(import.meta.dirname, `${name}.ts`))) as TortureProgram;
const interrupted = new AbortController();
const listenNoMore = abortOnSignals(interrupted);
interrupted.signal.addEventListener('abort', () => {
  process.stderr.write(
    'Interrupted: this round is the last, and what it made is removed; once more ends it at once\n',
  );
  // One Ctrl-C comes several times: from the terminal, and passed on by whoever started this.
  setTimeout(listenNoMore, 2_000).unref();
});
const options = readOptions();
process.stdout.write(`torture ${name}, seed ${options.seed}\n`);
process.exitCode = (await program.run(options)) ? 0 : 1;
listenNoMore();

/** Ends the program when they cannot be read. */
function readOptions(): TortureOptions {
  try {
    return readTortureOptions(args, interrupted.signal);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  }
}
