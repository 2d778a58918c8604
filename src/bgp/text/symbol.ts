// Names in BIRD's configuration: letters, digits and underscores, no more than 64 of them.
import { createHash } from 'node:crypto';

const longest = 40;

/** Two different names never give the same symbol: where the name does not stand whole, a digest of it does. */
export function symbolOf(prefix: string, name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  if (plain === name && name.length <= longest) return `${prefix}_${name}`;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${prefix}_${plain.slice(0, longest - 13)}_${digest}`;
}
