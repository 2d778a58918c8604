// The directions that a policy names as its types.

export const bothDirections: readonly string[] = ['Ingress', 'Egress'];

/** @throws RangeError for a word that is neither: it may have meant either, so that both are to be closed */
export function knownDirections(types: readonly string[]): readonly string[] {
  const unknown = types.find((type) => !bothDirections.includes(type));
  if (unknown === undefined) return types;
  throw new RangeError(
    `${JSON.stringify(unknown)} is neither "Ingress" nor "Egress"; the policy is about both`,
  );
}
