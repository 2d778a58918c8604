// `calicoctl ipam show`: how full the pools are, who has an address, who borrows, and by which rules.
import {
  type Allocation,
  allocationsOf,
  IpamRepair,
  type PoolUsage,
  type UnreadableBlock,
  unreadableBlock,
  usageOf,
} from '../../ipam/index.ts';
import { tryParseAddress } from '../../net/index.ts';
import { ipamBlocks, ipamConfigurations, ipPools } from '../../resources/index.ts';
import type { GlobalOptions } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession, type Session } from '../session.ts';
import { formatBoxTable } from './box-table.ts';

export interface ShowOptions extends GlobalOptions {
  readonly ip?: string;
  readonly showBlocks?: boolean;
  readonly showBorrowed?: boolean;
  readonly showConfiguration?: boolean;
}

export async function show(options: ShowOptions): Promise<number> {
  await using session = await openSession(options);
  if (options.ip !== undefined) await showAddress(session, options.ip);
  else if (options.showConfiguration) await showConfiguration(session);
  else if (options.showBorrowed) await showBorrowed(session);
  else await showUsage(session, options.showBlocks === true);
  return 0;
}

async function showAddress(session: Session, address: string): Promise<void> {
  if (!tryParseAddress(address)) throw new CommandError(`"${address}" is not an IP address`);
  const allocation = await new IpamRepair(session.datastore).findAllocation(address);
  if (!allocation) {
    process.stdout.write(`${address} is not assigned\n`);
    return;
  }
  const lines = Object.entries(allocation.attributes).map(([key, value]) => `  ${key}: ${value}`);
  const handle = allocation.handle === undefined ? '' : `Handle: ${allocation.handle}\n`;
  process.stdout.write(
    `IP ${allocation.address} is in use\n${handle}Attributes:\n${lines.length > 0 ? lines.join('\n') : '  none'}\n`,
  );
}

async function showConfiguration({ datastore }: Session): Promise<void> {
  const [configuration] = await datastore.list(ipamConfigurations);
  const spec = configuration?.spec;
  const rows = [
    ['StrictAffinity', String(spec?.strictAffinity ?? false)],
    ['AutoAllocateBlocks', String(spec?.autoAllocateBlocks ?? true)],
    ['MaxBlocksPerHost', String(spec?.maxBlocksPerHost ?? 0)],
    ['IPCooldownSeconds', String(spec?.ipCooldownSeconds ?? 0)],
    ['KubeVirtVMAddressPersistence', spec?.kubeVirtVMAddressPersistence ?? 'Enabled'],
  ];
  process.stdout.write(formatBoxTable(['PROPERTY', 'VALUE'], rows));
}

/** Addresses that one node's workload took from another node's block. */
async function showBorrowed({ datastore }: Session): Promise<void> {
  const rows = (await datastore.list(ipamBlocks)).flatMap((block) => {
    const owner = block.spec.affinity?.replace(/^(host|virtual):/, '') ?? '';
    return allocationsOf(block)
      .filter(({ attributes }) => attributes.node !== undefined && attributes.node !== owner)
      .map((allocation) => [
        allocation.address,
        allocation.attributes.node ?? '',
        allocation.block,
        owner,
        typeOf(allocation),
        ownerOf(allocation),
      ]);
  });
  const headings = ['IP', 'BORROWING-NODE', 'BLOCK', 'BLOCK OWNER', 'TYPE', 'ALLOCATED-TO'];
  process.stdout.write(formatBoxTable(headings, rows));
}

async function showUsage({ datastore }: Session, withBlocks: boolean): Promise<void> {
  const unreadable: UnreadableBlock[] = [];
  const [pools, blocks] = await Promise.all([
    datastore.list(ipPools),
    datastore.list(ipamBlocks, {}, (block, fault) => unreadable.push(unreadableBlock(block, fault))),
  ]);
  const rows = usageOf(pools, blocks, { unreadable }).flatMap((pool) => [
    usageRow('IP Pool', pool),
    ...(withBlocks ? pool.blocks.map((block) => usageRow('Block', block)) : []),
  ]);
  process.stdout.write(
    formatBoxTable(['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS FREE'], rows, [
      'left',
      'left',
      'right',
      'right',
      'right',
    ]),
  );
  for (const { name, fault } of unreadable) {
    process.stdout.write(
      `Block "${name}" cannot be read: ${fault}; its addresses are neither in use nor free here\n`,
    );
  }
}

function usageRow(
  grouping: string,
  { cidr, total, inUse, unknown }: Pick<PoolUsage, 'cidr' | 'total' | 'inUse' | 'unknown'>,
): string[] {
  // Rounded in integers: an IPv6 pool holds more addresses than a double can count.
  const share = (part: bigint) => `${(part * 200n + total) / (2n * total)}%`;
  const free = total - inUse - unknown;
  return [grouping, cidr, `${total}`, `${inUse} (${share(inUse)})`, `${free} (${share(free)})`];
}

function typeOf({ attributes }: Allocation): string {
  return attributes.pod === undefined ? (attributes.type ?? '') : 'pod';
}

function ownerOf({ attributes, handle }: Allocation): string {
  if (attributes.pod !== undefined) return `${attributes.namespace ?? 'default'}/${attributes.pod}`;
  return handle ?? '';
}
