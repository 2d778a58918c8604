// The command line: names, options and help of every command. What a command does is loaded only when it is called.
import { Command, Option } from 'commander';
import { addClusterCommands } from './program/cluster-commands.ts';
import { type Finish, parseDuration } from './program/declare.ts';
import { addIpamCommands } from './program/ipam-commands.ts';
import { addNodeCommands } from './program/node-commands.ts';
import { addResourceCommands } from './program/resource-commands.ts';

interface ProgramOptions {
  /** As the person called it. */
  readonly name: string;
  /** Told the exit code of the command that ran. */
  readonly finish: Finish;
  /** Whether mistakes on the command line are left to the caller to tell. */
  readonly isQuiet: boolean;
}

export function buildProgram({ name, finish, isQuiet }: ProgramOptions): Command {
  const program = new Command(name)
    .description("Manage Calico's resources, addresses and nodes")
    .option('-c, --config <file>', 'where the cluster is (default: /etc/calico/calicoctl.cfg, if it exists)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--allow-version-mismatch', 'work with a cluster of another version')
    .addOption(
      new Option('-l, --log-level <level>', 'what to log')
        .choices(['panic', 'fatal', 'error', 'warn', 'info', 'debug'])
        .default('panic'),
    )
    .addHelpText(
      'after',
      '\nInstalled under the name kubectl-calico it serves as the plugin "kubectl calico".\n' +
        'The cluster is found by -c, KUBECONFIG, DATASTORE_TYPE and the K8S_* variables.',
    )
    .helpCommand(true)
    .exitOverride()
    .showSuggestionAfterError();
  program.configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, 'calicoctl: ')),
    ...(isQuiet && { writeErr: () => {} }),
  });
  addResourceCommands(program, finish);
  addIpamCommands(program, finish);
  addNodeCommands(program, finish);
  addClusterCommands(program, finish);
  program
    .command('version')
    .description('Show the version of calicoctl and of the cluster')
    .option('--client', 'only of calicoctl')
    .option('-p, --poll <duration>', 'ask the cluster again after so long, such as "5s" or "10m"', parsePause)
    .action(async (_options, command: Command) => {
      const { version } = await import('./commands/version.ts');
      finish(await version(command.optsWithGlobals()));
    });
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completionScript } = await import('./commands/completion.ts');
      process.stdout.write(completionScript(program, shell));
    });
  return program;
}

/** A number without a unit, which "0" for "only once" is as a rule, is of seconds. */
function parsePause(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : parseDuration(text);
}
