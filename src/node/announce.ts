// What a node tells others about itself: how it is reached, by its object's annotations; its name and its pods' packet size,
// by files. Whether its network works is said in network-condition.ts.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Datastore } from '../datastore/index.ts';
import type { Family } from '../net/index.ts';
import { writeTextWhole } from '../process/index.ts';
import { nodeAnnotations, nodes } from '../resources/index.ts';
import type { NodeAddress } from './detect-address.ts';
import type { NodeOptions } from './options.ts';
import type { Tunnel } from './tunnel.ts';

/** Tells the other nodes how to reach this one. */
export async function announce(
  datastore: Datastore,
  { node, asNumber }: NodeOptions,
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Tunnel[],
): Promise<void> {
  const text = (family: Family) => {
    const own = addresses.get(family);
    return own ? `${own.address}/${own.prefixLength}` : null;
  };
  const tunnel = (family: Family) => tunnels.find((candidate) => candidate.family === family);
  // In a merge patch null takes away what an earlier start may have left.
  const annotations = {
    [nodeAnnotations.ipv4Address]: text(4),
    [nodeAnnotations.ipv6Address]: text(6),
    [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnel(4)?.address ?? null,
    [nodeAnnotations.ipv6VxlanTunnelAddress]: tunnel(6)?.address ?? null,
    [nodeAnnotations.vxlanTunnelMac]: tunnel(4)?.mac ?? null,
    [nodeAnnotations.vxlanTunnelMacV6]: tunnel(6)?.mac ?? null,
    // Somebody may have written it by hand, so that it is not ours to take away.
    ...(asNumber !== undefined && { [nodeAnnotations.asNumber]: String(asNumber) }),
  };
  // Through the status, which takes annotations but no taints: the right to patch it is the smaller one.
  await datastore.mergePatch(nodes, { name: node }, { metadata: { annotations } }, { subresource: 'status' });
}

/**
 * Files by which other programs on the node learn its name and its pods' packet size. What they say already is not written
 * again. @throws the file system's errors
 */
export function writeFacts({ node, paths }: NodeOptions, mtu: number): void {
  for (const [path, content] of [
    [paths.nodename, node],
    [paths.mtu, String(mtu)],
  ] as const) {
    if (existsSync(path) && readFileSync(path, 'utf8') === content) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeTextWhole(path, 0o644, content);
  }
}
