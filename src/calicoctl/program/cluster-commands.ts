// Declares the commands that are about the cluster as a whole.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ClusterDiagsOptions } from '../cluster/diags.ts';
import type { DoctorOptions } from '../doctor/doctor.ts';
import type { ExplainOptions } from '../explain/explain.ts';
import type { MigrateOptions } from '../migrate/migrate.ts';
import { type Finish, parseDuration, withNamespace } from './declare.ts';

export function addClusterCommands(program: Command, finish: Finish): void {
  program
    .command('doctor')
    .description('Find what is not well in the cluster and on this node, and say what to do about it')
    .addOption(
      new Option('-o, --output <format>', 'how findings are told').choices(['text', 'json']).default('text'),
    )
    .option('--local', 'look at this machine alone, without asking the cluster')
    .option(
      '--node-root <folder>',
      "where this node's calico-node keeps its files, if not in the usual places",
    )
    .option('--cni-net-dir <folder>', 'where CNI configurations lie, if not in /etc/cni/net.d')
    .option('--cni-bin-dir <folder>', 'where CNI plugins lie, if not in /opt/cni/bin')
    .action(async (_options, command: Command) => {
      const { doctor } = await import('../doctor/doctor.ts');
      finish(await doctor(command.optsWithGlobals<DoctorOptions>()));
    });
  withNamespace(program.command('explain'))
    .description('Say what policies decide about a connection, why, and what they would with the staged ones')
    .argument('<from>', 'a pod as "name" or "namespace/name", or an address')
    .argument('<to>', 'the same; behind services, it is the pod that is meant')
    .addOption(
      new Option('--protocol <protocol>', 'of the connection')
        .choices(['TCP', 'UDP', 'SCTP', 'UDPLite', 'ICMP'])
        .default('TCP'),
    )
    .option('-p, --port <number>', 'that the connection is to; of ICMP there is none', parsePort)
    .option('--source-port <number>', 'that the connection is from, for rules that ask for it', parsePort)
    .addOption(
      new Option('-o, --output <format>', 'how it is told').choices(['text', 'json']).default('text'),
    )
    .action(async (from: string, to: string, _options, command: Command) => {
      const { explain } = await import('../explain/explain.ts');
      finish(await explain(from, to, command.optsWithGlobals<ExplainOptions>()));
    });
  program
    .command('migrate-from-calico')
    .description('Copy what a cluster of Calico has stored to where this Calico stores it')
    .option('--dry-run', 'show what would be done, and write nothing')
    .option('--overwrite', 'replace what is there already and says something else')
    .option('--abort', 'let the old cluster assign addresses again, while it still may')
    .option(
      '--settle <seconds>',
      "how long to wait for the end of the old cluster's last requests",
      parseSettle,
      10,
    )
    .action(async (_options, command: Command) => {
      const { migrateFromCalico } = await import('../migrate/migrate.ts');
      finish(await migrateFromCalico(command.optsWithGlobals<MigrateOptions>()));
    });
  const cluster = program.command('cluster').description('Examine the cluster');
  cluster
    .command('diags')
    .description("Collect Calico's objects and logs, and what else the cluster's network is made of")
    .option('--since <duration>', 'only logs that are no older, such as "30m" or "2h"', parseDuration)
    .option('--max-logs <number>', 'logs of so many pods of each program', parseCount, 5)
    .option('--max-parallelism <number>', 'how much is collected at once', parseCount, 10)
    .option(
      '--focus-nodes <names>',
      'nodes whose pods come first, separated by commas; then come those that were started again',
      (text) => text.split(','),
    )
    .option('--skip-temp-dir-cleanup', 'leave the collected files as well')
    .action(async (_options, command: Command) => {
      const { clusterDiags } = await import('../cluster/diags.ts');
      finish(await clusterDiags(command.optsWithGlobals<ClusterDiagsOptions>()));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError('It must be a whole number from 1 to 65535.');
}

function parseSettle(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0 && seconds <= 600) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds from 0 to 600.');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
