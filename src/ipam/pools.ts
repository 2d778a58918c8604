// Which pools may serve a request, and why the others may not.
import {
  type Address,
  type Cidr,
  cidrContains,
  type Family,
  formatAddress,
  formatCidr,
  parseCidr,
  tryParseCidr,
} from '../net/index.ts';
import { blockSizeOf, type IPPool } from '../resources/index.ts';
import { type Labels, matches, parseSelector } from '../selector/index.ts';
import { NoPoolError } from './errors.ts';
import type { NodeLabels } from './node-labels.ts';

export type PoolUse = 'Workload' | 'Tunnel' | 'LoadBalancer';

export interface PoolRequest {
  readonly family: Family;
  readonly use: PoolUse;
  readonly nodeLabels: NodeLabels;
  /** Labels of the pod's namespace; absent for what has no namespace. */
  readonly namespaceLabels?: Labels;
  /** Names or CIDRs: exactly these pools, whatever their selectors and assignment mode say. */
  readonly pools?: readonly string[];
}

/** The pools for a request, in the order in which they are to be tried. @throws NoPoolError when there is none */
export function selectPools(pools: readonly IPPool[], request: PoolRequest): IPPool[] {
  const candidates = request.pools
    ? requested(pools, request.pools)
    : pools.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const reasons: string[] = [];
  const selected = candidates.filter((pool) => {
    const reason = whyNot(pool, request);
    if (reason) reasons.push(`"${pool.metadata.name}" ${reason}`);
    return reason === undefined;
  });
  if (selected.length > 0) return selected;
  const why = reasons.length > 0 ? reasons.join('; ') : 'there is none';
  throw new NoPoolError(
    `Cannot find an IPv${request.family} pool for a ${request.use.toLowerCase()}: ${why}`,
  );
}

/** Whether a pool still gives addresses, and selects a node with these labels. */
export function isOpenTo(pool: IPPool, nodeLabels: NodeLabels): boolean {
  if (whyClosed(pool) !== undefined) return false;
  try {
    return whyNotOn(pool, nodeLabels) === undefined;
  } catch {
    // A selector that says nothing clear selects nobody, as for pods.
    return false;
  }
}

/** Whether a block was cut from this pool. */
export function isBlockOf(pool: IPPool, block: Cidr): boolean {
  return (
    block.length === blockSizeOf(pool.spec) &&
    cidrContains(parseCidr(pool.spec.cidr), { family: block.family, value: block.network })
  );
}

/**
 * The pool around an address that is asked for by name, of those for that use if one is named.
 * @throws NoPoolError when there is none, or it gives no more
 */
export function poolAround(pools: readonly IPPool[], address: Address, use?: PoolUse): IPPool {
  const around = pools.filter(({ spec }) => cidrContains(parseCidr(spec.cidr), address));
  const why = (pool: IPPool) => whyClosed(pool) ?? (use && whyNotFor(pool, use));
  const open = around.find((pool) => why(pool) === undefined);
  if (open) return open;
  const [closed] = around;
  throw new NoPoolError(
    `Cannot assign ${formatAddress(address)}: ` +
      (closed ? `its pool "${closed.metadata.name}" ${why(closed) ?? 'is closed'}` : 'no pool contains it'),
  );
}

function requested(pools: readonly IPPool[], wanted: readonly string[]): IPPool[] {
  return wanted.map((text) => {
    const range = canonicalCidr(text);
    const pool = pools.find(
      ({ metadata, spec }) => metadata.name === text || canonicalCidr(spec.cidr) === range,
    );
    if (!pool) throw new NoPoolError(`Cannot use the requested pool "${text}": it does not exist`);
    return pool;
  });
}

/** One range may be written in several ways: "FD00:0::/64". What is no CIDR stays as it is. */
function canonicalCidr(text: string): string {
  const cidr = tryParseCidr(text);
  return cidr ? formatCidr(cidr) : text;
}

/** Why a pool does not serve a request; undefined when it does. */
function whyNot(pool: IPPool, request: PoolRequest): string | undefined {
  const { spec } = pool;
  if (parseCidr(spec.cidr).family !== request.family) return `is not IPv${request.family}`;
  const closed = whyClosed(pool);
  if (closed) return closed;
  const otherUse = whyNotFor(pool, request.use);
  if (otherUse) return otherUse;
  if (request.pools) return undefined;
  if (spec.assignmentMode === 'Manual') return 'serves only who asks for it by name';
  try {
    const otherNodes = whyNotOn(pool, request.nodeLabels);
    if (otherNodes) return otherNodes;
    if (!selects(spec.namespaceSelector, request.namespaceLabels ?? new Map())) {
      return `does not select the namespace (${spec.namespaceSelector})`;
    }
  } catch (error) {
    // A selector that says nothing clear selects nobody; the other pools are not to suffer from it.
    return `has a selector that cannot be read: ${error instanceof Error ? error.message : error}`;
  }
  return undefined;
}

/** Why a pool does not serve a node; undefined when it does. @throws SelectorSyntaxError when it says nothing clear */
function whyNotOn({ spec: { nodeSelector } }: IPPool, labels: NodeLabels): string | undefined {
  if (!nodeSelector || nodeSelector.trim() === 'all()') return undefined;
  if (labels === 'unreadable') return `selects nodes (${nodeSelector}), and the node's labels cannot be read`;
  return selects(nodeSelector, labels) ? undefined : `does not select the node (${nodeSelector})`;
}

/** Why a pool is not for that use; undefined when it is. */
function whyNotFor({ spec }: IPPool, use: PoolUse): string | undefined {
  const uses = spec.allowedUses?.length ? spec.allowedUses : ['Workload', 'Tunnel'];
  return uses.includes(use) ? undefined : `is for ${uses.join(', ')} only`;
}

/** Why a pool gives nothing to anybody any more; what was drawn from it before stays its owners'. */
function whyClosed({ spec, metadata, status }: IPPool): string | undefined {
  if (metadata.deletionTimestamp) return 'is being deleted';
  if (spec.disabled) return 'is disabled';
  const condition = status?.conditions?.find(({ type }) => type === 'Allocatable');
  if (condition?.status === 'False') return `is not allocatable (${condition.reason})`;
  return undefined;
}

/** An absent or empty selector selects all. */
function selects(selector: string | undefined, labels: Labels): boolean {
  return !selector || matches(parseSelector(selector), labels);
}
