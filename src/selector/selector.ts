// The label selector as a tree, and what it says of a set of labels. Parsing and printing are beside this file.
// Semantics: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors

export type Selector =
  | { readonly kind: 'all' }
  /** True of everything; readers of policies give it its meaning ("not namespaced"). */
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly label: string }
  | { readonly kind: Comparison; readonly label: string; readonly value: string }
  | { readonly kind: 'in' | 'not in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Selector[] };

export type Comparison = '==' | '!=' | 'contains' | 'starts with' | 'ends with';

/** Where labels come from: a Map, or anything that answers like one. */
export interface Labels {
  /** Returns undefined when there is no such label. */
  get(label: string): string | undefined;
}

export const all: Selector = { kind: 'all' };

/** Whether the labels satisfy the selector. A label that is absent satisfies `!=` and `not in`, and nothing else but `!`. */
export function matches(selector: Selector, labels: Labels): boolean {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return true;
    case 'has':
      return labels.get(selector.label) !== undefined;
    case 'in':
      return isOneOf(labels.get(selector.label), selector.values);
    case 'not in':
      return !isOneOf(labels.get(selector.label), selector.values);
    case 'not':
      return !matches(selector.operand, labels);
    case 'and':
      return selector.operands.every((operand) => matches(operand, labels));
    case 'or':
      return selector.operands.some((operand) => matches(operand, labels));
    default:
      return compare(selector.kind, labels.get(selector.label), selector.value);
  }
}

function compare(comparison: Comparison, actual: string | undefined, wanted: string): boolean {
  switch (comparison) {
    case '==':
      return actual === wanted;
    case '!=':
      return actual !== wanted;
    case 'contains':
      return actual?.includes(wanted) ?? false;
    case 'starts with':
      return actual?.startsWith(wanted) ?? false;
    case 'ends with':
      return actual?.endsWith(wanted) ?? false;
  }
}

function isOneOf(actual: string | undefined, values: readonly string[]): boolean {
  return actual !== undefined && values.includes(actual);
}

/** The conjunction; conjunctions among the operands are flattened, `all()` is dropped. */
export function and(...operands: readonly Selector[]): Selector {
  const flat = operands.flatMap((operand) => (operand.kind === 'and' ? operand.operands : [operand]));
  const telling = flat.filter((operand) => operand.kind !== 'all');
  const [only] = telling;
  if (!only) return all;
  return telling.length === 1 ? only : { kind: 'and', operands: telling };
}

/** The negation; a double one cancels. */
export function not(operand: Selector): Selector {
  return operand.kind === 'not' ? operand.operand : { kind: 'not', operand };
}
