// `calicoctl node diags`: collects what this machine knows of its network, for people who are asked for help.
import { cpSync, existsSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiagnosticsArchive, timestamp } from '../diags/archive.ts';

export interface DiagsOptions {
  readonly logDir: string;
}

/** What is asked of the system, by the name of the file in the archive. */
const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
  date: ['date', '-u'],
  hostname: ['hostname'],
  kernel: ['uname', '-a'],
  // Without their arguments: people pass secrets in them.
  processes: ['ps', '-eo', 'user,pid,ppid,pcpu,pmem,vsz,rss,tty,stat,lstart,time,comm'],
  memory: ['cat', '/proc/meminfo'],
  links: ['ip', '-details', '-statistics', 'link'],
  addresses: ['ip', 'address'],
  'routes-ipv4': ['ip', '-4', 'route', 'show', 'table', 'all'],
  'routes-ipv6': ['ip', '-6', 'route', 'show', 'table', 'all'],
  rules: ['ip', 'rule'],
  neighbours: ['ip', 'neighbour'],
  'forwarding-entries': ['bridge', 'fdb', 'show'],
  nftables: ['nft', 'list', 'ruleset'],
  iptables: ['iptables-save', '-c'],
  ipsets: ['ipset', 'list'],
  sockets: ['ss', '-anp'],
  modules: ['cat', '/proc/modules'],
  'conntrack-count': ['cat', '/proc/sys/net/netfilter/nf_conntrack_count'],
};

export async function diags({ logDir }: DiagsOptions): Promise<number> {
  const name = `calico-node-diags-${hostname()}-${timestamp()}`;
  const archive = new DiagnosticsArchive(name);
  process.stdout.write('Collecting diagnostics\n');
  for (const [file, [command, ...arguments_]] of Object.entries(commands)) {
    await archive.collectCommand(`${file}.txt`, command, ...arguments_);
  }
  if (existsSync(logDir)) cpSync(logDir, join(archive.folder, 'logs'), { recursive: true });
  const { failures } = archive;
  const path = await archive.finish(join(tmpdir(), `${name}.tar.gz`));
  if (failures > 0) process.stdout.write(`${failures} things could not be collected; the archive says why\n`);
  process.stdout.write(`Diagnostics saved to ${path}\n`);
  return 0;
}
