// One thing that another Calico has left in the kernel.

export interface Leftover {
  /** In words. */
  readonly what: string;
  /** What pods lose with it, and what is to be done about that; absent when they lose nothing. */
  readonly warning?: string;
  /** Looks again before it takes out what is there by then. @throws Error that says what refuses */
  remove(): void | Promise<void>;
}

/** Docker, and others, have the kernel drop what no rule of theirs accepts; Calico's rules in the same chain are such. */
export function warningOf(place: string): string {
  return (
    `${place} drops by default, and the rules by which it accepts pods' packets go: ours stand in a table of their own, ` +
    'whose accept does not overrule that. Let it accept them before: for Docker, "ip-forward-no-drop": true in its daemon.json, ' +
    'or "iptables -P FORWARD ACCEPT"; or rules of your own that accept "-i cali+" and "-o cali+"'
  );
}
