// The part of Kubernetes' JSONPath that printer columns use: .field, ['field'], [0], [*] and [?(@.field=="value")].
import { fieldOf, isEqual, isObject, type Json } from '../json.ts';

type Step = (values: readonly Json[]) => Json[];

const token =
  /\.?\[\?\(@((?:\.(?:\\.|[\w-])+)+)\s*(==|!=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^)\s]+)\s*\)\]|\[(\d+|\*)\]|\['((?:[^'\\]|\\.)*)'\]|\.((?:\\.|[^.[\]\\])+)/gy;

/**
 * Compiles a path such as `.status.conditions[?(@.type=="Ready")].status`. The result reads the first value that the path
 * finds, undefined when it finds none. @throws RangeError when the path is not of this subset.
 */
export function compileJsonPath(path: string): (value: Json) => Json | undefined {
  const steps: Step[] = [];
  token.lastIndex = 0;
  let at = 0;
  while (at < path.length) {
    token.lastIndex = at;
    const match = token.exec(path);
    if (!match) throw new RangeError(`Cannot read the JSONPath "${path}" from character ${at + 1} on`);
    at = token.lastIndex;
    steps.push(stepOf(match));
  }
  return (value) => steps.reduce<Json[]>((values, step) => step(values), [value])[0];
}

function stepOf([, filterPath, operator, literal, index, quoted, field]: RegExpExecArray): Step {
  if (filterPath !== undefined) {
    const read = compileJsonPath(filterPath);
    const wanted = literalOf(literal ?? '');
    return (values) =>
      values.flatMap(itemsOf).filter((item) => isEqual(read(item), wanted) === (operator === '=='));
  }
  if (index === '*') return (values) => values.flatMap(itemsOf);
  if (index !== undefined) {
    return (values) =>
      values.flatMap((value) => present(Array.isArray(value) ? value[Number(index)] : undefined));
  }
  const name = (quoted ?? field ?? '').replaceAll(/\\(.)/g, '$1');
  return (values) => values.flatMap((value) => present(isObject(value) ? fieldOf(value, name) : undefined));
}

/** A list's items are one level, not to be flattened further. */
function itemsOf(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value).filter((item) => item !== undefined) : [];
}

function present(value: Json | undefined): [Json] | [] {
  return value === undefined ? [] : [value];
}

function literalOf(text: string): Json {
  if (/^["']/.test(text)) return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}
