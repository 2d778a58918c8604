// Declares the commands that are about the machine on which they run.
import { type Command, Option } from 'commander';
import type { CheckSystemOptions } from '../node/checksystem.ts';
import type { DiagsOptions } from '../node/diags.ts';
import type { RoutesOptions } from '../node/routes.ts';
import type { RunOptions } from '../node/run.ts';
import type { StatusOptions } from '../node/status.ts';
import { version } from '../version.ts';
import type { Finish } from './declare.ts';

export function addNodeCommands(program: Command, finish: Finish): void {
  const node = program.command('node').description('Run and examine Calico on this machine');

  node
    .command('status')
    .description('Show whether calico-node runs here, and what BGP says')
    .addOption(outputOption())
    .action(async (options: StatusOptions) => {
      const { status } = await import('../node/status.ts');
      finish(await status(options));
    });

  node
    .command('routes')
    .description('Show the routes that BGP knows here, and where they come from')
    .addOption(outputOption())
    .action(async (options: RoutesOptions) => {
      const { routes } = await import('../node/routes.ts');
      finish(await routes(options));
    });

  node
    .command('diags')
    .description('Collect what this machine knows of its network')
    .option('--log-dir <folder>', 'where calico-node logs', '/var/log/calico')
    .action(async (options: DiagsOptions) => {
      const { diags } = await import('../node/diags.ts');
      finish(await diags(options));
    });

  node
    .command('checksystem')
    .description('Check whether the kernel can run calico-node')
    .option('-f, --kernel-config <file>', 'judge the kernel of this configuration, and not the one that runs')
    .action(async (options: CheckSystemOptions) => {
      const { checkSystem } = await import('../node/checksystem.ts');
      finish(await checkSystem(options));
    });

  node
    .command('run')
    .description('Start calico-node in a container')
    .option('--ip <address>', 'IPv4 address of the node, or "autodetect"')
    .option('--ip6 <address>', 'IPv6 address of the node, or "autodetect"')
    .option('--as <number>', 'BGP autonomous system of the node')
    .option('--name <name>', 'name of the node (default: the host name)')
    .option('--ip-autodetection-method <method>', 'how the IPv4 address is found', 'first-found')
    .option('--ip6-autodetection-method <method>', 'how the IPv6 address is found', 'first-found')
    .option('--log-dir <folder>', 'where it logs', '/var/log/calico')
    .option('--node-image <image>', 'image of calico-node', `calico-ts/node:${version}`)
    .addOption(new Option('--backend <backend>', 'who speaks BGP').choices(['bird', 'none']).default('bird'))
    .option('--dryrun', 'print the command and run nothing')
    .option('--init-system', 'run in the foreground, for an init system')
    .option('--no-default-ippools', 'make no pools')
    .option('--felix-config <file>', "Felix's configuration file")
    .action(async (options: RunOptions) => {
      const { run } = await import('../node/run.ts');
      finish(run(options));
    });
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'for programs instead of people').choices(['json']);
}
