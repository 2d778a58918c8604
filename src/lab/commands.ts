// The command line of calico-lab. Each command's work is done elsewhere; here are its name, its options and what it prints.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ClusterShape } from './bgp/shape.ts';
import { runDemo } from './demo/demo.ts';
import { down } from './down.ts';
import type { RouterKind } from './router/index.ts';
import { serve } from './serve.ts';
import { showMatrix } from './show-matrix.ts';
import { showStatus } from './show-status.ts';
import { paint } from './terminal.ts';
import { showTopology } from './topology/show-topology.ts';
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
    .addOption(bgpOption())
    .addOption(reflectorsOption())
    .addOption(routerOption())
    .action(async (options: ShapeOptions & { name: string }) => {
      code = await up(options.name, shapeOf(options));
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
  named(program.command('topology'))
    .description('show who speaks BGP with whom, and who advertises what')
    .option('--svg <file>', 'draw it as well')
    .action(async (options: { name: string; svg?: string }) => {
      code = await showTopology(options.name, options);
    });
  named(program.command('serve', { hidden: true }))
    .addOption(nodesOption())
    .addOption(bgpOption())
    .addOption(reflectorsOption())
    .addOption(routerOption())
    .action(async (options: ShapeOptions & { name: string }) => {
      code = await serve(options.name, shapeOf(options));
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

interface ShapeOptions {
  readonly nodes: number;
  readonly bgp?: boolean;
  readonly reflectors: number;
  readonly tor?: RouterKind;
}

/** @throws Error when nodes are to reflect routes, or to peer with a router, without speaking BGP */
function shapeOf({ nodes, bgp, reflectors, tor }: ShapeOptions): ClusterShape {
  if (!bgp) {
    if (reflectors > 0 || tor) throw new Error('--reflectors and --tor need --bgp');
    return { nodes };
  }
  if (reflectors > nodes) throw new Error(`${nodes} nodes cannot hold ${reflectors} route reflectors`);
  return { nodes, bgp: { reflectors, ...(tor && { router: tor }) } };
}

function bgpOption(): Option {
  return new Option('--bgp', 'BGP instead of an overlay: every node peers with every other');
}

function reflectorsOption(): Option {
  const option = new Option(
    '--reflectors <count>',
    'peer with so many route reflectors among the nodes instead',
  );
  return option.default(0).argParser((text) => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('It must be a number from 0.');
    return count;
  });
}

function routerOption(): Option {
  return new Option('--tor <router>', 'peer with a router outside of the cluster').choices(['frr', 'gobgp']);
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
