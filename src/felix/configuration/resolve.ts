// From layers of what was said to one value for each parameter. A value that is none is reported, and the parameter has
// its default then, as upstream has it: what a lower source says was overridden, rightly or not, and a default is never
// more open than what somebody may have meant.
import { readAs } from './kinds.ts';
import type { Layer } from './layers.ts';
import { variableOf } from './parameter.ts';
import { anyParameters, type FelixSettings, type ParameterName, parameterNames } from './parameters/index.ts';

export interface Resolved {
  readonly settings: FelixSettings;
  /** A sentence for each value that could not be taken and each name that is nobody's. */
  readonly faults: readonly string[];
}

/** `layers` begins with what counts most. */
export function resolveSettings(layers: readonly Layer[]): Resolved {
  const faults = layers.flatMap(({ values }) =>
    [...values].flatMap(([name, { where }]) =>
      knownNames.has(name) ? [] : [`${where}: there is no such parameter of Felix; it is ignored`],
    ),
  );
  const settings: Partial<Record<ParameterName, unknown>> = {};
  for (const name of parameterNames) {
    const said = layers.map(({ values }) => values.get(name.toLowerCase())).find((one) => one !== undefined);
    const value = said && readValue(name, said.raw);
    if (said && value === undefined) {
      const { kind, otherwise } = anyParameters[name];
      faults.push(
        `${name} is ${JSON.stringify(said.raw)} (${said.where}); it must be ${kind.what}; ${
          otherwise === '' ? 'it counts as not set' : `the default, "${otherwise}", is used`
        }`,
      );
    }
    settings[name] = value ?? defaults[name];
  }
  return { settings: settings as FelixSettings, faults };
}

/** Undefined when the text is no value of the parameter. */
function readValue(name: ParameterName, raw: unknown): unknown {
  const { kind } = anyParameters[name];
  if (typeof raw === 'string' && raw.toLowerCase() === 'none' && 'none' in kind) return kind.none;
  return readAs<unknown>(kind, raw);
}

/** @throws Error for a default that is none, which is a mistake in the tables */
function defaultOf(name: ParameterName): unknown {
  const { kind, otherwise } = anyParameters[name];
  const value = kind.read(otherwise);
  if (value === undefined) throw new Error(`${variableOf(name, anyParameters[name])} has no right default`);
  return value;
}

const knownNames = new Set(parameterNames.map((name) => name.toLowerCase()));
const defaults = Object.fromEntries(parameterNames.map((name) => [name, defaultOf(name)]));

/** Names of parameters whose values differ. */
export function changedParameters(before: FelixSettings, after: FelixSettings): ParameterName[] {
  return parameterNames.filter((name) => textOf(before[name]) !== textOf(after[name]));
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, part) =>
      part instanceof RegExp || typeof part === 'bigint' ? String(part) : part,
    ) ?? 'undefined'
  );
}
