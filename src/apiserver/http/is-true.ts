/** Kubernetes takes any of its spellings of true in a query; an empty value counts too. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0', 'f', 'F', 'False', 'FALSE'].includes(value);
}
