// What calico-node needs of a kernel, and whether this machine's kernel has it.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { CommandError } from '../problem.ts';

export interface KernelNeed {
  readonly what: string;
  readonly isMet: boolean;
  /** What to do where it is not. */
  readonly remedy: string;
  /** Who needs it, where not every node does. */
  readonly onlyFor?: string;
}

const leastVersion = [5, 15] as const;

/** Modules that are needed, each with the option of the kernel's configuration that it comes with. */
const modules: Readonly<Record<string, string>> = {
  nf_tables: 'CONFIG_NF_TABLES',
  nft_ct: 'CONFIG_NFT_CT',
  nft_masq: 'CONFIG_NFT_MASQ',
  nf_conntrack: 'CONFIG_NF_CONNTRACK',
  nf_conntrack_netlink: 'CONFIG_NF_CT_NETLINK',
  nfnetlink_log: 'CONFIG_NETFILTER_NETLINK_LOG',
  veth: 'CONFIG_VETH',
  vxlan: 'CONFIG_VXLAN',
};

/** Needed only where pools ask for it. */
const optionalModules: Readonly<Record<string, readonly [option: string, onlyFor: string]>> = {
  ipip: ['CONFIG_NET_IPIP', 'IP-in-IP'],
};

/** @throws CommandError when the named file with the kernel's configuration is not there */
export function kernelNeeds(kernelConfig?: string): KernelNeed[] {
  const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat);
  const isNew = major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1]);
  const config = readKernelConfig(kernelConfig);
  const known = listModules();
  const need = (module: string, option: string): KernelNeed => ({
    what: module,
    isMet:
      existsSync(`/sys/module/${module}`) ||
      known.has(module) ||
      new RegExp(`^${option}=[ym]$`, 'm').test(config),
    remedy: `load it with "modprobe ${module}", or use a kernel with ${option}`,
  });
  return [
    { what: `kernel ${release()}`, isMet: isNew, remedy: `${leastVersion.join('.')} or newer is needed` },
    ...Object.entries(modules).map(([module, option]) => need(module, option)),
    ...Object.entries(optionalModules).map(([module, [option, onlyFor]]) => ({
      ...need(module, option),
      onlyFor,
    })),
  ];
}
/** Modules that are built in, loaded, or can be loaded. */
function listModules(): Set<string> {
  const folder = `/lib/modules/${release()}`;
  const texts = ['/proc/modules', `${folder}/modules.builtin`, `${folder}/modules.dep`]
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
  const names = texts
    .join('\n')
    .split('\n')
    .map(
      (line) =>
        line
          .split(/[ :]/)[0]
          ?.replace(/^.*\//, '')
          .replace(/\.ko(\..*)?$/, '') ?? '',
    );
  return new Set(names.map((name) => name.replaceAll('-', '_')));
}

/** Empty when the kernel does not tell. */
function readKernelConfig(file: string | undefined): string {
  if (file !== undefined && !existsSync(file))
    throw new CommandError(`Cannot read "${file}": there is no such file`);
  const found = [file, '/proc/config.gz', `/boot/config-${release()}`].find(
    (path) => path && existsSync(path),
  );
  if (found === undefined) return '';
  const bytes = readFileSync(found);
  return (found.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}
