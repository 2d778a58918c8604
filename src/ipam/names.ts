// Names and labels of IPAM's objects, spelled as Calico spells them, so that both find what the other stored.
import { createHash } from 'node:crypto';
import type { Cidr } from '../net/index.ts';
import { blockName, isObjectName } from '../resources/index.ts';
import type { BlockOwner } from './owner.ts';

/** "node-1-10-0-0-64-26"; a node name that makes it too long is cut, and told apart by a hash. */
export function affinityName(node: string, cidr: Cidr): string {
  const name = `${node}-${blockName(cidr)}`;
  if (name.length < maxNameLength) return name;
  const suffix = `-${blockName(cidr)}-${hashOf(name)}`;
  return node.slice(0, maxNameLength - 1 - suffix.length) + suffix;
}

const maxNameLength = 253;

/**
 * Handle IDs may have capitals and underscores, as names of networks and IDs of containers may, and any length; object names may
 * not. A hash tells apart what lost some of its ID.
 */
export function handleName(handleId: string): string {
  if (isObjectName(handleId)) return handleId;
  const suffix = `-${hashOf(handleId)}`;
  const name = handleId
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]/g, '-')
    .replaceAll(/-*\.[.-]*/g, '.');
  const whole = name.slice(0, maxNameLength - suffix.length).replace(/[.-]+$/, '') + suffix;
  return whole.replace(/^[.-]+/, '');
}

/** Eleven hexadecimal digits. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 11);
}

/** Where the handle of an ID may be, the likeliest first: Calico makes nothing but capitals small. */
export function handleNames(handleId: string): string[] {
  return [...new Set([handleName(handleId), handleId.toLowerCase()])];
}

export function affinityLabels({ type, name }: BlockOwner, cidr: Cidr): Record<string, string> {
  return {
    'projectcalico.org/hostname-hash': hostnameHash(name),
    'projectcalico.org/affinity-type': type,
    'projectcalico.org/ip-version': String(cidr.family),
  };
}

/** Selects every affinity of an owner. */
export function affinitySelector({ type, name }: BlockOwner): string {
  return `projectcalico.org/hostname-hash=${hostnameHash(name)},projectcalico.org/affinity-type=${type}`;
}

/** Base32 of SHA3-256, without padding: node names may be longer than a label's value. */
function hostnameHash(node: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of createHash('sha3-256').update(node).digest()) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + alphabet[(held << (5 - bits)) & 31] : text;
}
