// `calicoctl ipam split`: splits a pool into equal smaller ones.
import { splitPool } from '../../ipam/index.ts';
import { ipPools } from '../../resources/index.ts';
import type { GlobalOptions } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession } from '../session.ts';

export interface SplitOptions extends GlobalOptions {
  readonly cidr?: string;
  readonly name?: string;
}

export async function split(count: number, options: SplitOptions): Promise<number> {
  const { cidr, name } = options;
  if ((cidr === undefined) === (name === undefined)) {
    throw new CommandError('Say which pool to split: either --cidr or --name');
  }
  await using session = await openSession(options);
  const pools = await session.datastore.list(ipPools);
  const pool = pools.find(({ metadata, spec }) => metadata.name === name || spec.cidr === cidr);
  if (!pool) throw new CommandError(`Cannot split pool "${name ?? cidr}": it does not exist`);
  const parts = await splitPool(session.datastore, pool, count);
  process.stdout.write(`Split pool "${pool.metadata.name}" (${pool.spec.cidr}) into\n`);
  for (const { metadata, spec } of parts) process.stdout.write(`  "${metadata.name}" (${spec.cidr})\n`);
  return 0;
}
