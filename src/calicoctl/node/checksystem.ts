// `calicoctl node checksystem`: whether this machine's kernel can run calico-node.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { CommandError } from '../problem.ts';

export interface CheckSystemOptions {
  /** File with the kernel's configuration, where it is not found by itself. */
  readonly kernelConfig?: string;
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

/** Needed only where pools ask for IP-in-IP. */
const optionalModules: Readonly<Record<string, string>> = { ipip: 'CONFIG_NET_IPIP' };

/** Returns 1 when something is missing that every node needs. */
export function checkSystem({ kernelConfig }: CheckSystemOptions): number {
  let isFit = true;
  const tell = (what: string, isRight: boolean, why = '') => {
    process.stdout.write(`${what.padEnd(32)}${isRight ? 'OK' : `MISSING${why}`}\n`);
    isFit &&= isRight;
  };
  const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat);
  const isNew = major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1]);
  tell(`kernel ${release()}`, isNew, `: ${leastVersion.join('.')} or newer is needed`);
  const config = readKernelConfig(kernelConfig);
  const known = listModules();
  const has = (module: string, option: string) =>
    existsSync(`/sys/module/${module}`) ||
    known.has(module) ||
    new RegExp(`^${option}=[ym]$`, 'm').test(config);
  for (const [module, option] of Object.entries(modules)) {
    tell(module, has(module, option), `: load it with "modprobe ${module}", or use a kernel with ${option}`);
  }
  for (const [module, option] of Object.entries(optionalModules)) {
    const found = has(module, option) ? 'OK' : 'not found; only IP-in-IP needs it';
    process.stdout.write(`${module.padEnd(32)}${found}\n`);
  }
  process.stdout.write(
    isFit ? 'This system can run calico-node\n' : 'This system cannot run calico-node as it is\n',
  );
  return isFit ? 0 : 1;
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
