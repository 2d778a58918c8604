// The command line of calico-lab. Each command's work is done elsewhere; here are its name, its options and what it prints.
import { Command, InvalidArgumentError, Option } from 'commander';
import { runDemo } from './demo/demo.ts';
import { down } from './down.ts';
import { serve } from './serve.ts';
import { showMatrix } from './show-matrix.ts';
import { showStatus } from './show-status.ts';
import { paint } from './terminal.ts';
import { up } from './up.ts';

/** Runs one command and returns the exit code. `arguments_` are those after the program's name. */
export async function runLab(arguments_: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('calico-lab')
    .description('A Kubernetes cluster with Calico on this machine: nodes and pods are network namespaces')
    .showHelpAfterError()
    .exitOverride();
  const named = (command: Command) =>
    command.addOption(new Option('--name <name>', 'which cluster, where there are several').default('lab'));

  program
    .command('demo')
    .description('bring a cluster up, prove a network policy on it pod by pod, and remove it again')
    .addOption(nodesOption())
    .addOption(new Option('--name <name>', 'call the cluster so').default(`demo-${process.pid}`))
    .action(async (options: { nodes: number; name: string }) => {
      code = await runDemo({ nodes: options.nodes, id: options.name });
    });
  named(program.command('up'))
    .description('bring a cluster up and keep it running')
    .addOption(nodesOption())
    .action(async (options: { nodes: number; name: string }) => {
      code = await up(options.name, options.nodes);
    });
  named(program.command('down'))
    .description('remove the cluster, and whatever an interrupted one left behind')
    .action(async (options: { name: string }) => {
      code = await down(options.name);
    });
  named(program.command('status'))
    .description('show the nodes, their agents and the pods')
    .action(async (options: { name: string }) => {
      code = await showStatus(options.name);
    });
  named(program.command('matrix'))
    .description('probe every pod from every pod and show what arrived')
    .addOption(new Option('--proto <protocol>', 'probe with this protocol').choices(['tcp', 'udp', 'sctp']))
    .addOption(
      new Option('--port <port>', "a number, or the name of the pods' own port").argParser(parsePort),
    )
    .action(async (options: { name: string; proto?: 'tcp' | 'udp' | 'sctp'; port?: string | number }) => {
      code = await showMatrix(options.name, options);
    });
  named(program.command('serve', { hidden: true }))
    .addOption(nodesOption())
    .action(async (options: { nodes: number; name: string }) => {
      code = await serve(options.name, options.nodes);
    });

  program.hook('preAction', () => {
    if (process.getuid?.() !== 0)
      throw new Error('It makes network namespaces and needs root; run it as root');
  });
  try {
    await program.parseAsync(arguments_, { from: 'user' });
  } catch (error) {
    // Commander has said what is wrong with the command line; anything else is a sentence for the person who asked.
    if (isCommanderError(error)) return error.exitCode;
    process.stderr.write(
      `${paint('red', 'calico-lab:')} ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
  return code;
}

function nodesOption(): Option {
  return new Option('--nodes <count>', 'how many nodes').default(3).argParser((text) => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < 1 || count > 50) {
      throw new InvalidArgumentError('It must be a number from 1 to 50.');
    }
    return count;
  });
}

function parsePort(text: string): string | number {
  if (!/^\d+$/.test(text)) return text;
  const port = Number(text);
  if (port < 1 || port > 65535) throw new InvalidArgumentError('It must be from 1 to 65535, or a name.');
  return port;
}

function isCommanderError(error: unknown): error is { exitCode: number } {
  return (
    error instanceof Error &&
    'exitCode' in error &&
    String(Reflect.get(error, 'code')).startsWith('commander.')
  );
}
