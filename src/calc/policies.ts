// Which policies matter on this node, and for which of its endpoints. A policy that selects none of them costs nothing
// here but its selector.
import {
  builtInTiers,
  comparePolicies,
  compareTiers,
  type Direction,
  type HostStage,
  type Policy,
  policyKey,
  type Tier,
} from '../policy/index.ts';
import type { AddressSets } from './address-sets.ts';
import { type CompiledPolicy, compilePolicy } from './compile-policy.ts';
import type { PolicyProgram, TierProgram } from './desired-state.ts';
import { LabelIndex } from './label-index.ts';
import type { LabelSet } from './label-set.ts';

export class Policies {
  readonly #sets: AddressSets;
  readonly #policies = new Map<string, Policy>();
  readonly #active = new Map<string, CompiledPolicy>();
  readonly #programs = new Map<string, PolicyProgram>();
  readonly #tiers = new Map<string, Tier>(builtInTiers.map((tier) => [tier.name, tier]));
  readonly #index = new LabelIndex({
    onMatch: (policy, endpoint) => this.#matchChanged(policy, endpoint),
    onUnmatch: (policy, endpoint) => this.#matchChanged(policy, endpoint),
  });
  /** Policies whose program has to be looked at again, and endpoints whose list of policies may differ. */
  readonly #dirtyPolicies = new Set<string>();
  readonly #dirtyEndpoints = new Set<string>();

  constructor(sets: AddressSets) {
    this.#sets = sets;
  }

  /** Programs of the policies that select a local endpoint, by policy key; right after `takeChanges`. */
  get state(): ReadonlyMap<string, PolicyProgram> {
    return this.#programs;
  }

  setPolicy(policy: Policy): void {
    const key = policyKey(policy.id);
    const before = this.#policies.get(key);
    this.#policies.set(key, policy);
    this.#index.setSelector(key, policy.selector);
    this.#dirtyPolicies.add(key);
    // An endpoint's chains say which policies it asks and in which order, not what these say.
    if (before && isAskedAlike(before, policy)) return;
    for (const endpoint of this.#index.itemsOf(key)) this.#dirtyEndpoints.add(endpoint);
  }

  deletePolicy(key: string): void {
    if (!this.#policies.delete(key)) return;
    this.#index.deleteSelector(key);
    this.#dirtyPolicies.add(key);
  }

  /** An object's order and default action; undefined when there is no such object any more. */
  setTier(name: string, tier: Tier | undefined): void {
    const effective = tier ?? builtInTiers.find((builtIn) => builtIn.name === name);
    if (effective) this.#tiers.set(name, effective);
    else this.#tiers.delete(name);
    for (const [key, policy] of this.#policies) {
      if (policy.tier === name)
        for (const endpoint of this.#index.itemsOf(key)) this.#dirtyEndpoints.add(endpoint);
    }
  }

  /** Keys of the policies that ask one of the sets. */
  askersOf(sets: ReadonlySet<string>): string[] {
    if (sets.size === 0) return [];
    return [...this.#active].flatMap(([key, policy]) =>
      policy.sets.some((set) => sets.has(set)) ? [key] : [],
    );
  }

  setEndpoint(key: string, labels: LabelSet): void {
    this.#index.setItem(key, labels);
    this.#dirtyEndpoints.add(key);
  }

  deleteEndpoint(key: string): void {
    this.#index.deleteItem(key);
    this.#dirtyEndpoints.add(key);
  }

  get hasChanges(): boolean {
    return this.#dirtyPolicies.size > 0 || this.#dirtyEndpoints.size > 0;
  }

  /** Brings the programs up to date, which acquires and releases sets. Names what changed since the last call. */
  takeChanges(): { policies: Set<string>; endpoints: Set<string> } {
    const policies = new Set<string>();
    const outdated: CompiledPolicy[] = [];
    for (const key of this.#dirtyPolicies) {
      const previous = this.#active.get(key);
      const policy = this.#policies.get(key);
      if (!previous && !policy) continue;
      const isActive = policy !== undefined && this.#index.itemsOf(key).size > 0;
      if (isActive && previous?.policy === policy) continue;
      if (isActive) {
        const compiled = compilePolicy(policy, this.#sets);
        // Whether a policy may pass shapes the chains of the endpoints that ask it.
        const isOther = directions.some(
          (direction) => passes(previous?.program, direction) !== passes(compiled.program, direction),
        );
        if (isOther) for (const endpoint of this.#index.itemsOf(key)) this.#dirtyEndpoints.add(endpoint);
        this.#active.set(key, compiled);
        this.#programs.set(key, compiled.program);
      } else {
        this.#active.delete(key);
        this.#programs.delete(key);
      }
      if (previous || isActive) policies.add(key);
      if (previous) outdated.push(previous);
    }
    // Released only now, so that a set which both the old and the new programs use lives on with its members.
    for (const { sets } of outdated) for (const set of sets) this.#sets.release(set);
    const endpoints = new Set(this.#dirtyEndpoints);
    this.#dirtyPolicies.clear();
    this.#dirtyEndpoints.clear();
    return { policies, endpoints };
  }

  /**
   * The tiers that judge an endpoint's traffic in one direction, in order; empty when no policy does. Host endpoints have
   * them in several places.
   */
  tiersOf(endpoint: string, direction: Direction, place: PolicyPlace = 'normal'): TierProgram[] {
    const byTier = Map.groupBy(
      [...this.#index.selectorsOf(endpoint)].flatMap((key) => {
        const policy = this.#policies.get(key);
        return policy?.[direction] && isAskedAt(policy, place) ? [policy] : [];
      }),
      (policy) => policy.tier,
    );
    return [...byTier]
      .map(([name, policies]) => ({ tier: this.#tier(name), policies }))
      .sort((a, b) => compareTiers(a.tier, b.tier))
      .map(({ tier, policies }) => ({
        name: tier.name,
        // Before connections are tracked, and before they are translated, a tier has no end: others have their say.
        defaultAction: place === 'untracked' || place === 'preDNAT' ? 'Pass' : tier.defaultAction,
        policies: policies.sort(comparePolicies).map((policy) => {
          const key = policyKey(policy.id);
          return { key, passes: passes(this.#programs.get(key), direction) };
        }),
      }));
  }

  /** A tier that nobody has defined denies what its policies leave undecided, and comes last. */
  #tier(name: string): Tier {
    return this.#tiers.get(name) ?? { name, order: undefined, defaultAction: 'Deny', isMissing: true };
  }

  #matchChanged(policy: string, endpoint: string): void {
    const isActive = this.#index.itemsOf(policy).size > 0;
    if (isActive !== this.#active.has(policy)) this.#dirtyPolicies.add(policy);
    this.#dirtyEndpoints.add(endpoint);
  }
}

/** Where policies are asked about a host endpoint's traffic; pods have the normal place alone. */
export type PolicyPlace = 'normal' | 'forward' | HostStage;

function isAskedAt({ stage, forward }: Policy, place: PolicyPlace): boolean {
  if (place === 'normal') return stage === undefined;
  if (place === 'forward') return stage === undefined && forward === true;
  return stage === place;
}

function isAskedAlike(a: Policy, b: Policy): boolean {
  const isSameType = directions.every(
    (direction) => (a[direction] === undefined) === (b[direction] === undefined),
  );
  const isSamePlace = a.stage === b.stage && a.forward === b.forward;
  return a.tier === b.tier && a.order === b.order && isSameType && isSamePlace;
}

const directions: readonly Direction[] = ['ingress', 'egress'];

function passes(program: PolicyProgram | undefined, direction: Direction): boolean {
  return program?.[direction].some(({ action }) => action === 'Pass') ?? false;
}
