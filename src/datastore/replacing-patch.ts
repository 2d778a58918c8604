// A merge patch that replaces: by itself such a patch leaves whatever it does not speak of.

/**
 * The JSON merge patch (RFC 7396) that makes `wanted` of `present`: null for what `wanted` has not. Members that are undefined
 * are not wanted; null is no value of what is wanted.
 */
export function replacingPatch(present: unknown, wanted: object): object {
  const named = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const before = new Map(isPlain(present) ? Object.entries(present) : []);
  const gone = [...before.keys()].filter((name) => !named.some(([other]) => other === name));
  return Object.fromEntries([
    ...gone.map((name) => [name, null]),
    ...named.map(([name, value]) => [name, isPlain(value) ? replacingPatch(before.get(name), value) : value]),
  ]);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
