// `npm run torture -- [NAME] [--minutes N] [--rounds N] [--seed N]`: runs one of the long loops, each its own program beside this
// file; without a name all of them in turn, but for "fuzz", which has a command of its own. They print their seed, and end with code 1
// at the first round that proves something wrong. Ctrl-C ends them behind a round.
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { abortOnSignals } from '../src/lab/abort.ts';
import { readTortureOptions, type TortureOptions } from './options.ts';
import { runInTurn, type TortureProgram } from './turns.ts';

const isProgram = (name: string) => !['run', 'options', 'random', 'report', 'turns'].includes(name);
const programs = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter(isProgram)
  .toSorted();
const given = process.argv.slice(2);
const isForAll = given[0] === undefined || given[0].startsWith('--');
const [name = '', ...args] = isForAll ? ['', ...given] : given;
if (!isForAll && !programs.includes(name)) {
  process.stderr.write(
    `"${name}" is no torture; say one of ${programs.join(', ')}, and --minutes, --rounds or --seed after it; without a name all have their turn\n`,
  );
  process.exit(1);
}
const programOf = (one: string): Promise<TortureProgram> => import(join(import.meta.dirname, `${one}.ts`));
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
const names = isForAll ? programs.filter((one) => one !== 'fuzz') : [name];
const tell = (line: string) => process.stdout.write(`${line}\n`);
const { held, failed, left } = await runInTurn(names, programOf, options, tell);
if (isForAll) {
  for (const [what, some] of Object.entries({ 'everything held': held, 'something did not hold': failed }))
    if (some.length > 0) tell(`torture: ${what} in ${some.join(', ')}`);
}
if (left.length > 0) tell(`torture: no time was left for ${left.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
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
