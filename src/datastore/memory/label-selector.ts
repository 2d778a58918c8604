// Kubernetes label and field selectors as they stand in a URL, for the store in memory; API servers have their own.
// Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
import type { Resource } from '../../resources/index.ts';

type Test = (object: Resource) => boolean;

/** "a=b,c!=d,e in (f,g),h notin (i),j,!k". @throws SyntaxError when it is none. */
export function labelTest(selector: string): Test {
  const tests = split(selector).map(labelRequirement);
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

/** "spec.nodeName=a,metadata.name!=b": paths into the object. @throws SyntaxError when it is none. */
export function fieldTest(selector: string): Test {
  const tests = split(selector).map((term) => {
    const [, path = '', operator, value] = /^([\w.-]+)(==|=|!=)(.*)$/.exec(term) ?? [];
    if (operator === undefined) throw new SyntaxError(`"${term}" is not a field requirement`);
    return (object: Resource) => (valueAt(object, path) === value) === (operator !== '!=');
  });
  return (object) => tests.every((test) => test(object));
}

function labelRequirement(term: string): (labels: Record<string, string>) => boolean {
  const [, key = '', operator, list = ''] = /^([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term) ?? [];
  if (operator) {
    const values = new Set<string | undefined>(list.split(',').map((value) => value.trim()));
    // A missing label is "not in" any set.
    return (labels) => values.has(labelOf(labels, key)) === (operator === 'in');
  }
  const equality = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(term);
  if (equality) {
    const [, name = '', sign, value] = equality;
    return (labels) => (labelOf(labels, name) === value) === (sign !== '!=');
  }
  const [, negated, name = ''] = /^(!?)([\w./-]+)$/.exec(term) ?? [];
  if (name === '') throw new SyntaxError(`"${term}" is not a label requirement`);
  return (labels) => (labelOf(labels, name) !== undefined) === (negated === '');
}

/** Not what every object of JavaScript has under such a name. */
function labelOf(labels: Record<string, string>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

/** Terms between the commas that stand outside of parentheses. */
function split(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

/** The text at a dotted path; "" when nothing is there, as API servers have it. */
function valueAt(object: Resource, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.')) {
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value === undefined || value === null ? '' : String(value);
}
