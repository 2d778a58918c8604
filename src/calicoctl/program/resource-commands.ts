// Declares the commands that manage resources.
import { type Command, Option } from 'commander';
import type { GetOptions } from '../commands/get.ts';
import { type Finish, withFiles, withNamespace, withOutcomes } from './declare.ts';

const reading = () => import('../commands/get.ts');
const writing = () => import('../commands/write.ts');

export function addResourceCommands(program: Command, finish: Finish): void {
  withFiles(withNamespace(program.command('get')))
    .description('Show resources')
    .argument('[kind]', 'any kind, by singular, plural or short name')
    .argument('[names...]', 'all when absent; may be separated by commas')
    .option(
      '-o, --output <format>',
      'ps, wide, yaml, json, custom-columns=..., go-template=... or go-template-file=...',
      'ps',
    )
    .option('-A, --all-namespaces', 'of every namespace')
    .addOption(new Option('-a').hideHelp())
    .option('--export', 'leave out what belongs to this cluster alone')
    .action(async (kind: string | undefined, names: string[], _options, command: Command) => {
      const { get } = await reading();
      const { a, ...options } = command.optsWithGlobals<GetOptions & { readonly a?: boolean }>();
      finish(await get(kind, separate(names), a ? { ...options, allNamespaces: true } : options));
    });

  written(program, 'create', 'Create resources that do not exist yet')
    .option('--skip-exists', 'leave alone those that exist')
    .action(async (_options, command: Command) =>
      finish(await (await writing()).create(command.optsWithGlobals())),
    );

  written(program, 'apply', 'Create resources, or bring them into the state that files describe')
    .addOption(
      new Option('--dry-run <where>', 'write nothing; let the server or this program judge').choices([
        'server',
        'client',
      ]),
    )
    .option('--diff', 'show the difference of each from what is stored')
    .action(async (_options, command: Command) =>
      finish(await (await writing()).apply(command.optsWithGlobals())),
    );

  written(program, 'replace', 'Replace resources that exist').action(async (_options, command: Command) =>
    finish(await (await writing()).replace(command.optsWithGlobals())),
  );

  written(program, 'delete', 'Delete resources')
    .argument('[kind]', 'any kind, by singular, plural or short name')
    .argument('[names...]')
    .option('-s, --skip-not-exists', 'let those be that do not exist')
    .action(async (kind: string | undefined, names: string[], _options, command: Command) => {
      finish(await (await writing()).remove(kind, separate(names), command.optsWithGlobals()));
    });

  withOutcomes(withNamespace(program.command('patch')))
    .description('Change fields of a resource')
    .argument('<kind>')
    .argument('<name>')
    .requiredOption('-p, --patch <patch>', 'what to change, in JSON or YAML')
    .addOption(
      new Option('-t, --type <type>', 'kind of patch')
        .choices(['strategic', 'json', 'merge'])
        .default('strategic'),
    )
    .action(async (kind: string, name: string, _options, command: Command) => {
      const { patch } = await import('../commands/patch.ts');
      finish(await patch(kind, name, command.optsWithGlobals()));
    });

  withOutcomes(withNamespace(program.command('label')))
    .description('Set or remove labels of a resource')
    .argument('<kind>')
    .argument('<name>')
    .argument('<labels...>', 'key=value; with --remove the keys alone')
    .option('--overwrite', 'change labels that are set already')
    .option('--remove', 'remove labels')
    .action(async (kind: string, name: string, labels: string[], _options, command: Command) => {
      const { label } = await import('../commands/label.ts');
      finish(await label(kind, name, labels, command.optsWithGlobals()));
    });

  withOutcomes(withFiles(program.command('validate')))
    .description('Judge files without a cluster')
    .action(async (_options, command: Command) => {
      const { validate } = await import('../commands/validate.ts');
      finish(await validate(command.optsWithGlobals()));
    });
}

function written(program: Command, name: string, description: string): Command {
  return withOutcomes(withFiles(withNamespace(program.command(name)))).description(description);
}

function separate(names: readonly string[]): string[] {
  return names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}
