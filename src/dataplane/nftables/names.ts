// What our objects in the kernel are called. People read these in `nft list ruleset`, so they say what they are.
import { createHash } from 'node:crypto';
import type { Family } from '../../net/index.ts';
import type { Direction } from '../../policy/index.ts';

/** The one table of ours; both families live in it. */
export const table = { family: 'inet', name: 'calico' } as const;

/** Host's ends of pods' links begin so; everything that does, and that we do not know, is closed. */
export const interfacePrefix = 'cali';

export const chains = {
  antiSpoof: 'cali-anti-spoof',
  egress: 'cali-forward-egress',
  ingress: 'cali-forward-ingress',
  input: 'cali-input',
  inputHost: 'cali-input-host',
  /** Tells the sender that nobody takes its packet. */
  reject: 'cali-reject',
  /** Where a permitted packet goes after its sender's policy, and after its receiver's. */
  judged: { egress: 'cali-judged-egress', ingress: 'cali-judged-ingress' },
  /** Called by those: note the judgement on the connection. Rewritten at every change of policy. */
  mark: { egress: 'cali-mark-egress', ingress: 'cali-mark-ingress' },
} as const;

export const sets = {
  /** Values of the connection mark that say "permitted by the present policy". */
  judged: 'cali-judged',
  dispatch: { egress: 'cali-from-wl-dispatch', ingress: 'cali-to-wl-dispatch' },
  /** Interface and address of every pod: what may come from where. */
  sources: { 4: 'cali-wl-addresses-4', 6: 'cali-wl-addresses-6' },
} as const;

/** "cali40-..." or "cali60-...", after the names of Calico's IP sets. */
export function addressSetName(id: string, family: Family): string {
  return `cali${family}0-${id.replace(/^s:/, '')}`;
}

/** The networks of a set that has any, beside the one of its addresses. */
export function netSetName(id: string, family: Family): string {
  return `cali${family}0n-${id.replace(/^s:/, '')}`;
}

/** "cali-tw-..." (to workload) holds ingress, "cali-fw-..." (from workload) egress. */
function endpointChain(interfaceName: string, direction: Direction): string {
  return `cali-${direction === 'ingress' ? 'tw' : 'fw'}-${interfaceName}`;
}

/** The chain of an endpoint's n-th tier, from 0: the first is the endpoint's own. */
export function tierChain(interfaceName: string, direction: Direction, n: number): string {
  return `${endpointChain(interfaceName, direction)}${n === 0 ? '' : `-tier-${n + 1}`}`;
}

const longest = 200;

/** "cali-pi-..." and "cali-po-...": a policy's key as it is where nftables can say it, else its hash. */
export function policyChain(key: string, direction: Direction): string {
  const prefix = direction === 'ingress' ? 'cali-pi-' : 'cali-po-';
  const isSayable = key.length <= longest && /^[A-Za-z0-9/_.-]+$/.test(key);
  return prefix + (isSayable ? key : hashOf(key));
}

/** 27 characters that stand for a text of any length. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 27);
}
