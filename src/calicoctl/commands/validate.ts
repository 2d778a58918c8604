// `calicoctl validate`: judges files without a cluster, and names everything that is wrong with them.
import { loadObjects } from '../manifest/load.ts';
import type { FileOptions, OutputFormat } from '../options.ts';
import { CommandError, reportProblems } from '../problem.ts';

interface ValidateOptions extends FileOptions {
  readonly output: OutputFormat;
}

/** Returns 1 when anything is wrong. */
export async function validate(options: ValidateOptions): Promise<number> {
  if (!options.filename?.length)
    throw new CommandError('Say which files to read with -f; "-" is the standard input');
  const loaded = await loadObjects(options);
  const valid = loaded.flatMap((entry) => (entry.problems ? [] : [entry]));
  const problems = loaded.flatMap((entry) => entry.problems ?? []);
  if (options.output === 'json') {
    const results = valid.map(({ kind, object, file, line }) => {
      const { name, namespace } = object.metadata;
      return { kind: kind.kind, ...(namespace && { namespace }), name, file, line, result: 'valid' };
    });
    process.stdout.write(`${JSON.stringify({ results }, undefined, 2)}\n`);
  } else {
    for (const { kind, object, file, line } of valid) {
      process.stdout.write(`${file}:${line}: ${kind.kind} "${object.metadata.name}" is valid\n`);
    }
  }
  if (problems.length === 0) return 0;
  reportProblems(problems, options.output);
  return 1;
}
