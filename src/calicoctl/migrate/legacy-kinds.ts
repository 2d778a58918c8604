// Where Calico before native definitions keeps its objects: the same kinds in the group crd.projectcalico.org/v1, one of them
// under another name.
import { calicoKinds, type Resource, type ResourceKind } from '../../resources/index.ts';

/** An object as it is stored: its spec is near to what users write, its metadata is not. */
export interface LegacyObject extends Resource {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
}

export interface LegacyKind {
  readonly from: ResourceKind<LegacyObject>;
  readonly to: ResourceKind;
}

/** Addresses and what counts them: copied last, and only while nobody assigns any. */
const addressKinds = new Set(['IPAMBlock', 'BlockAffinity', 'IPAMHandle', 'IPAMConfiguration']);

/** Tiers first, for policies are refused without theirs. */
const first = ['Tier', 'IPPool'];

export const legacyKinds: readonly LegacyKind[] = calicoKinds
  .toSorted((a, b) => rank(a) - rank(b))
  .map((to) => ({
    to,
    from: {
      group: 'crd.projectcalico.org',
      version: 'v1',
      kind: to.kind === 'IPAMConfiguration' ? 'IPAMConfig' : to.kind,
      plural: to.kind === 'IPAMConfiguration' ? 'ipamconfigs' : to.plural,
      namespaced: to.namespaced,
    },
  }));

export function isAboutAddresses({ to }: LegacyKind): boolean {
  return addressKinds.has(to.kind);
}

function rank({ kind }: ResourceKind): number {
  const place = first.indexOf(kind);
  return place < 0 ? first.length : place;
}
