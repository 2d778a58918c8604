// What the declarations of commands share.
import { type Command, Option } from 'commander';

/** Takes the exit code of a command. */
export type Finish = (code: number) => void;

/** Options of commands that read objects from files. */
export function withFiles(command: Command): Command {
  return command
    .option(
      '-f, --filename <file>',
      'file or folder, or "-" for the standard input; may be repeated',
      collect,
    )
    .option('-R, --recursive', "descend into a folder's folders")
    .option('--skip-empty', 'let files and folders be empty');
}

export function withNamespace(command: Command): Command {
  return command.option(
    '-n, --namespace <name>',
    "namespace of objects that name none (default: the context's)",
  );
}

/** How a command that writes tells what it did. */
export function withOutcomes(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how outcomes and errors are told')
      .choices(['text', 'json'])
      .default('text'),
  );
}

export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
