// Time as metav1.Time writes it.

/** RFC 3339 in whole seconds, UTC. */
export function timestamp(ms = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
