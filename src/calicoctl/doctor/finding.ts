// What the doctor says of one thing that is not well: what, where, why that matters, and what to do.

export interface Finding {
  /** Names the check, in one word or two with a dash: for scripts, and for people who look it up. */
  readonly check: string;
  /** An error keeps traffic or pods from working, now or at the next change; a warning may. */
  readonly severity: 'error' | 'warning';
  /** What is not well, in one sentence. */
  readonly what: string;
  /** Which object, node or file; "the cluster" when none in particular. */
  readonly where: string;
  readonly why: string;
  /** What a person can do, with the command where there is one. */
  readonly remedy: string;
}

/** Looks at facts of one sort; returns nothing when all is well. Pure. */
export interface Check<Facts> {
  readonly name: string;
  /** What is asked, for the list of what was checked: "every pool gives addresses". */
  readonly asks: string;
  look(facts: Facts): readonly Omit<Finding, 'check'>[];
}

export function examine<Facts>(checks: readonly Check<Facts>[], facts: Facts): Finding[] {
  return checks.flatMap((check) => check.look(facts).map((finding) => ({ check: check.name, ...finding })));
}
