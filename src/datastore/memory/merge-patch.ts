// JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396

/** Returns the patched value; neither argument is changed. Null in a patch removes. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch;
  const result: Record<string, unknown> = isPlain(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else {
      const merged = mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value);
      // Defined, not assigned: "__proto__" is a name as others are.
      Object.defineProperty(result, name, {
        value: merged,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
  return result;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
