// What the Log action writes before a packet's line, and how often it may.
import type { Expression } from '../../kernel/index.ts';

export interface LogOptions {
  /**
   * What stands before the packet. "%t" becomes the policy's tier, "%k" its kind in short, "%n" its name and "%p" its namespace
   * and name; any other "%" stays.
   */
  readonly logPrefix: string;
  /**
   * NFLOG group that is told instead of the kernel's log, which takes nothing from network namespaces other than the first.
   */
  readonly logGroup?: number;
  /** At most so many lines of each rule in so many seconds, and `burst` of them at once; no bound when absent. */
  readonly logLimit?:
    | { readonly count: number; readonly seconds: number; readonly burst: number }
    | undefined;
}

/** NF_LOG_PREFIXLEN less its zero byte. */
const longestPrefix = 127;

const shortKinds: Readonly<Record<string, string>> = {
  NetworkPolicy: 'np',
  GlobalNetworkPolicy: 'gnp',
  KubernetesNetworkPolicy: 'knp',
  KubernetesClusterNetworkPolicy: 'kcnp',
};

/** `key` is the policy's, "kind/namespace/name". A packet beyond the bound goes on to the next rule without a line. */
export function logExpressions(
  key: string,
  tier: string,
  { logPrefix, logLimit, logGroup }: LogOptions,
): Expression[] {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const values: Readonly<Record<string, string>> = {
    '%t': tier,
    '%k': shortKinds[kind] ?? kind,
    '%n': name,
    '%p': namespace === '' ? name : `${namespace}/${name}`,
  };
  const prefix = `${logPrefix.replaceAll(/%[tknp]/g, (sign) => values[sign] ?? sign)}: `;
  const log: Expression = {
    kind: 'log',
    prefix: prefix.slice(0, longestPrefix),
    ...(logGroup !== undefined && { group: logGroup }),
  };
  if (!logLimit) return [log];
  const { count, seconds, burst } = logLimit;
  return [{ kind: 'limit', rate: BigInt(count), seconds: BigInt(seconds), burst, unit: 'packets' }, log];
}
