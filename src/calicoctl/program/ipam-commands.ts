// Declares the commands that manage addresses.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CheckOptions } from '../ipam/check.ts';
import type { ConfigureOptions } from '../ipam/configure.ts';
import type { ReleaseOptions } from '../ipam/release.ts';
import type { ShowOptions } from '../ipam/show.ts';
import type { SplitOptions } from '../ipam/split.ts';
import { collect, type Finish } from './declare.ts';

export function addIpamCommands(program: Command, finish: Finish): void {
  const ipam = program.command('ipam').description('Manage IP addresses');

  ipam
    .command('show')
    .description('Show how full the pools are')
    .option('--ip <address>', 'who has this address')
    .option('--show-blocks', 'every block of the pools as well')
    .option('--show-borrowed', 'addresses that a node took from the block of another')
    .option('--show-configuration', "the cluster's rules")
    .action(async (_options, command: Command) => {
      const { show } = await import('../ipam/show.ts');
      finish(await show(command.optsWithGlobals<ShowOptions>()));
    });

  ipam
    .command('check')
    .description('Find addresses that leaked, half-claimed blocks, and blocks of removed nodes')
    .option('--show-all-ips', 'list every assigned address')
    .option('--show-problem-ips', 'list the addresses that something is wrong with')
    .option(
      '-o, --output <file>',
      'write a report for "ipam release --from-report"; "-" is the standard output',
    )
    .option('--kubeconfig <file>', 'kubeconfig of the cluster')
    .action(async (_options, command: Command) => {
      const { check } = await import('../ipam/check.ts');
      finish(await check(command.optsWithGlobals<CheckOptions>()));
    });

  ipam
    .command('release')
    .description('Release an address, or repair what reports of "ipam check" found')
    .option('--ip <address>', 'release this address, whoever has it')
    .option(
      '--from-report <file>',
      'repair what the report found; with several, what all of them found',
      collect,
    )
    .option('--force', 'do not check again whether the owners of leaked addresses are gone')
    .action(async (_options, command: Command) => {
      const { release } = await import('../ipam/release.ts');
      finish(await release(command.optsWithGlobals<ReleaseOptions>()));
    });

  ipam
    .command('configure')
    .description("Change the cluster's rules of address management")
    .option('--strictaffinity <true|false>', 'whether nodes keep to their own blocks', parseBoolean)
    .option(
      '--max-blocks-per-host <number>',
      'how many blocks a node may claim; 0 is the default',
      parseNumber(0, 1_000_000),
    )
    .addOption(
      new Option(
        '--kubevirt-ip-persistence <setting>',
        'whether virtual machines keep their addresses',
      ).choices(['Enabled', 'Disabled']),
    )
    .option(
      '--ip-cooldown-seconds <number>',
      'rest of released addresses; -1 unsets it',
      parseNumber(-1, 1200),
    )
    .action(async (_options, command: Command) => {
      const { configure } = await import('../ipam/configure.ts');
      finish(await configure(command.optsWithGlobals<ConfigureOptions>()));
    });

  ipam
    .command('split')
    .description('Split a pool into equal smaller ones')
    .argument('<number>', 'how many: a power of two', parseNumber(2, 65_536))
    .option('--cidr <cidr>', 'the pool of this range')
    .option('--name <name>', 'the pool of this name')
    .action(async (count: number, _options, command: Command) => {
      const { split } = await import('../ipam/split.ts');
      finish(await split(count, command.optsWithGlobals<SplitOptions>()));
    });
}

function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It must be true or false.');
}

function parseNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
