// The name under which a field of an object is reached in a rule: Kubernetes escapes what CEL cannot spell.
// Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules

/** CEL's own words, each of which would end an identifier's life as a field name. */
const reserved = new Set(
  `true false null in as break const continue else for function if import let loop package namespace return var void while`.split(
    ' ',
  ),
);

const spelled: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** "x-prop" is "x__dash__prop", "namespace" is "__namespace__"; undefined when no rule can reach the field. */
export function ruleNameOf(field: string): string | undefined {
  if (reserved.has(field)) return `__${field}__`;
  const name = field.replace(/__|[./-]/g, (text) => spelled[text] ?? text);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : undefined;
}
