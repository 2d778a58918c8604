// What the declarations of commands share.
import { type Command, InvalidArgumentError, Option } from 'commander';

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

/** Seconds of a duration as Go writes it, such as "90s" or "1h30m". @throws InvalidArgumentError when it is none */
export function parseDuration(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  if (!/^(\d+[hms])+$/.test(text))
    throw new InvalidArgumentError('It must be a duration, such as "30m" or "2h".');
  return [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
    0,
  );
}
