// The paths by which columns are described: ".spec.ports[0].name", ".spec.nets[*]", ".metadata.labels.a\.b".
// Kubernetes' filters ("?(@.x==1)") and recursive descent are not spoken here.

/** Every value that the path leads to; none when a step is missing. @throws SyntaxError when the path cannot be read */
export function readPath(object: unknown, path: string): unknown[] {
  let values: unknown[] = [object];
  for (const step of stepsOf(path)) values = values.flatMap((value) => follow(value, step));
  return values;
}

/** As columns show it: lists joined by commas, objects as JSON, nothing for what is absent. */
export function formatValue(values: readonly unknown[]): string {
  return values
    .flat()
    .filter((value) => value !== undefined && value !== null)
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))
    .join(',');
}

type Step = string | number | '*';

function stepsOf(path: string): Step[] {
  const bare = path.replace(/^\{(.*)\}$/s, '$1').replace(/^\$/, '');
  const pattern = /\.?((?:\\.|[^.[\]\\])+)|\[(\*|-?\d+|'[^']*'|"[^"]*")\]|^\.$/gy;
  const steps: Step[] = [];
  let end = 0;
  for (const match of bare.matchAll(pattern)) {
    end = match.index + match[0].length;
    const [, name, subscript] = match;
    if (name !== undefined) steps.push(name.replaceAll(/\\(.)/g, '$1'));
    else if (subscript === '*') steps.push('*');
    else if (subscript?.startsWith("'") || subscript?.startsWith('"')) steps.push(subscript.slice(1, -1));
    else if (subscript !== undefined) steps.push(Number(subscript));
  }
  if (end !== bare.length) {
    throw new SyntaxError(
      `Cannot read the path "${path}": "${bare.slice(end)}" is neither a field nor an index`,
    );
  }
  return steps;
}

function follow(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step === '*') return Object.values(value);
  if (typeof step === 'number') return Array.isArray(value) && value.length > 0 ? [value.at(step)] : [];
  return Object.hasOwn(value, step) ? [Reflect.get(value, step)] : [];
}
