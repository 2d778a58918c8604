// Splits a pool into equal smaller ones. Blocks and addresses stay as they are: each lies in exactly one of the new pools.
import type { Datastore } from '../datastore/index.ts';
import { bitsOf, formatCidr, parseCidr } from '../net/index.ts';
import { apiVersionOf, blockSizeOf, type IPPool, ipPools } from '../resources/index.ts';

/**
 * The pools that `count` parts of a pool are, named "split-POOL-0" and so on.
 * @throws RangeError when the parts cannot be equal, or would be smaller than a block
 */
function partsOf(pool: IPPool, count: number): IPPool[] {
  const { name } = pool.metadata;
  const bits = Math.log2(count);
  if (!Number.isInteger(bits) || bits < 1) {
    throw new RangeError(
      `Cannot split pool "${name}" into ${count} equal parts: the number must be a power of two`,
    );
  }
  const range = parseCidr(pool.spec.cidr);
  const length = range.length + bits;
  const blockSize = blockSizeOf(pool.spec);
  if (length > blockSize) {
    throw new RangeError(
      `Cannot split pool "${name}" (${pool.spec.cidr}) into ${count} parts: each would be smaller than a block (/${blockSize})`,
    );
  }
  const size = 1n << BigInt(bitsOf(range.family) - length);
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: apiVersionOf(ipPools),
    kind: ipPools.kind,
    metadata: {
      name: `split-${name}-${index}`,
      ...(pool.metadata.labels && { labels: pool.metadata.labels }),
    },
    spec: {
      ...pool.spec,
      blockSize,
      cidr: formatCidr({ ...range, length, network: range.network + BigInt(index) * size }),
    },
  }));
}

/**
 * Makes the parts and then deletes the whole, so that there is no moment without a pool. On a failure, what was made is removed.
 * @throws what the failure was, or an Error that names the parts that could not be removed again
 */
export async function splitPool(datastore: Datastore, pool: IPPool, count: number): Promise<IPPool[]> {
  const made: IPPool[] = [];
  try {
    for (const part of partsOf(pool, count)) made.push(await datastore.create(ipPools, part));
    const { name, resourceVersion } = pool.metadata;
    await datastore.delete(ipPools, { name }, resourceVersion ? { resourceVersion } : {});
    return made;
  } catch (error) {
    const left: string[] = [];
    for (const { metadata } of made) {
      await datastore.delete(ipPools, { name: metadata.name }).catch(() => left.push(metadata.name));
    }
    if (left.length === 0) throw error;
    throw new Error(
      `Cannot split pool "${pool.metadata.name}": ${(error as Error).message}; ` +
        `remove what is left of the attempt: ${left.map((name) => `"${name}"`).join(', ')}`,
      { cause: error },
    );
  }
}
