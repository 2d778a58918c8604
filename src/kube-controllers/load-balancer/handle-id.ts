// The handle under which IPAM keeps the addresses of a Service, spelled as Calico spells it.
import { createHash } from 'node:crypto';
import type { Service } from '../../resources/index.ts';

/** "lb-" and a hash: unlike a name, it is never too long, and a Service that is made again has another. */
export function handleIdOf({ metadata: { name, namespace = 'default', uid = '' } }: Service): string {
  const hash = createHash('sha256').update(`${name}-${namespace}-${uid}`.toLowerCase()).digest('base64url');
  return `lb-${hash.replaceAll(/[-_.]/g, '')}`;
}
