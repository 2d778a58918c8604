// Conditions of a status, as Kubernetes' metav1.Condition: a transition time that changes with the status alone.

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

type Wanted = Omit<Condition, 'lastTransitionTime'>;

/** The conditions with this one in place of the former of its type; undefined when it says what it said. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  wanted: Wanted,
  now: Date,
): Condition[] | undefined {
  const former = conditions?.find(({ type }) => type === wanted.type);
  const isSame = (['status', 'reason', 'message', 'observedGeneration'] as const).every(
    (field) => former?.[field] === wanted[field],
  );
  if (former && isSame) return undefined;
  const isTransition = former?.status !== wanted.status;
  const lastTransitionTime =
    former && !isTransition ? former.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z');
  const others = (conditions ?? []).filter(({ type }) => type !== wanted.type);
  return [...others, { ...wanted, lastTransitionTime }];
}
