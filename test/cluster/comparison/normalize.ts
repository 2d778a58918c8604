// Takes out of an answer what no two servers have in common: times, ages, identities, revisions, addresses.

const replacements: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID'],
  [/(\\*"?resourceVersion\\*"?: ?\\*"?)\d+/g, '$1REVISION'],
  [/\b[Rr]esource ?[Vv]ersion: +\d+( \(\d+\))?/g, 'resource version: REVISION'],
  [/(in object meta: |, current: )\d+/gi, '$1REVISION'],
  // Not the first octets of anything that a case itself writes.
  [/\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b/g, 'SERVICE-ADDRESS'],
  [/\b3[0-2]\d{3}\b/g, 'NODE-PORT'],
  [/https?:\/\/(kubectl:secret@)?127\.0\.0\.1:\d+/g, 'SERVER'],
  [/\b(made)-[a-z0-9]{5}\b/gi, '$1-SUFFIX'],
  [/ResourceVersion in record \(\d+\)/g, 'ResourceVersion in record (REVISION)'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, 'TIME'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, 'TIME'],
  // Lists of columns explain them in the words of either server.
  [/("description": ")(?:[^"\\]|\\.)*(",\s*"format")/g, '$1WORDS$2'],
  // Ages in tables; a column is as wide as the longest of them.
  [/\b\d+(s|m|m\d+s)(?=\s|"|$)/gm, 'AGE'],
  [/\/tmp\/\S+/g, 'FILE'],
  [/ {2,}/g, '  '],
  [/ +$/gm, ''],
];

export function normalizeText(text: string): string {
  return replacements.reduce((rest, [pattern, by]) => rest.replaceAll(pattern, by), text);
}

/** Of one JSON document, or of one per line: fields in the order of their names, so that the order in which they came does not count. */
export function normalizeBody(body: string): string {
  const whole = parsed(body);
  const documents =
    whole === undefined
      ? body
          .trim()
          .split('\n')
          .map((part) => parsed(part))
      : [whole];
  if (documents.includes(undefined)) return normalizeText(body);
  return normalizeText(documents.map((document) => JSON.stringify(sorted(document), null, 1)).join('\n'));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: it is compared as text.
    return undefined;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([field, below]) => [field, sorted(below)]));
}
