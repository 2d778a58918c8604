// Runs one command line and turns whatever happens into an exit code and words for whoever asked.
import { CommanderError } from 'commander';
import { problemsOf, reportProblems } from './problem.ts';
import { buildProgram } from './program.ts';

/** See `runCalicoctl`. */
export async function runCommandLine(arguments_: readonly string[], name: string): Promise<number> {
  const format = asksForJson(arguments_) ? 'json' : 'text';
  let code = 0;
  const program = buildProgram({
    name,
    finish: (result) => {
      code = result;
    },
    isQuiet: format === 'json',
  });
  try {
    await program.parseAsync(arguments_, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it to people; help and versions are no errors.
      const message = error.message.replace(/^error: /, '');
      if (format === 'json' && error.exitCode !== 0) reportProblems([{ message }], format);
      return error.exitCode;
    }
    reportProblems(problemsOf(error), format);
    return 1;
  }
}

/** Looked for by hand, because errors of the command line itself are to be told in that form too. */
function asksForJson(arguments_: readonly string[]): boolean {
  return arguments_.some(
    (word, index) =>
      word === '-ojson' ||
      word === '-o=json' ||
      word === '--output=json' ||
      (word === 'json' && (arguments_[index - 1] === '-o' || arguments_[index - 1] === '--output')),
  );
}
