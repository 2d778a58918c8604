// Where values come from, in upstream's order: environment, file, and the objects of the datastore that are for this node.
import { readFileSync } from 'node:fs';
import type { FelixConfiguration } from '../../resources/index.ts';
import { type Labels, matches, parseSelector } from '../../selector/index.ts';
import { variableOf } from './parameter.ts';
import { anyParameters, parameterNames } from './parameters/index.ts';

/** One source of values. */
export interface Layer {
  /** By the parameter's name in lower case. */
  readonly values: ReadonlyMap<string, Said>;
}

export interface Said {
  readonly raw: unknown;
  /** "environment variable FELIX_LOGPREFIX". */
  readonly where: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const nameOfVariable = new Map(
  parameterNames.flatMap((name) => [
    [name.toLowerCase(), name.toLowerCase()] as const,
    [variableOf(name, anyParameters[name]).slice('FELIX_'.length).toLowerCase(), name.toLowerCase()] as const,
  ]),
);

/** An empty variable is not set. */
export function environmentLayer(environment: Environment): Layer {
  return layerOf(
    Object.entries(environment).flatMap(([name, raw]) =>
      name.toUpperCase().startsWith('FELIX_') && raw
        ? [{ name: name.slice('FELIX_'.length), raw, where: `environment variable ${name}` }]
        : [],
    ),
  );
}

/** Lines "Name = value" under sections that do not matter. Empty when there is no such file. */
export function fileLayer(path: string): Layer {
  return layerOf(
    linesOf(path).flatMap((line, index) => {
      const [, name, value = ''] = /^\s*([A-Za-z0-9_]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
      const raw = unquoted(value);
      return name && raw ? [{ name, raw, where: `${path}:${index + 1}` }] : [];
    }),
  );
}

/**
 * As go-ini has it, by which upstream reads the file: "#" and ";" begin a comment wherever they stand, in single and double
 * quotes too, unless the value stands in backquotes or in three double quotes.
 */
function unquoted(value: string): string {
  const verbatim = /^("""|`)(.*)\1/.exec(value)?.[2];
  if (verbatim !== undefined) return verbatim;
  const [said = ''] = value.split(/[#;]/, 1);
  const plain = said.trimEnd();
  return /^(["'])((?:(?!\1).)*)\1$/.exec(plain)?.[2] ?? plain;
}

/** The object's own names are exact, and only some parameters are fields of it. */
function objectLayer({ metadata, spec }: FelixConfiguration): Layer {
  const { nodeSelector: _, ...fields } = spec;
  const where = `FelixConfiguration "${metadata.name}"`;
  const set = Object.entries(fields).filter(([, raw]) => raw !== undefined && raw !== null && raw !== '');
  return {
    values: new Map(set.map(([name, raw]) => [name.toLowerCase(), { raw, where: `${where}, spec.${name}` }])),
  };
}

/** This node's own object, the oldest of those whose selector selects it, and everybody's: as many as there are. */
export function objectLayers(
  objects: readonly FelixConfiguration[],
  node: string,
  labels: Labels,
): { layers: Layer[]; faults: string[] } {
  const faults: string[] = [];
  const named = (name: string) => objects.filter(({ metadata }) => metadata.name === name);
  const selecting = objects
    .filter(({ metadata: { name }, spec }) => {
      if (spec.nodeSelector === undefined || name === 'default' || name.startsWith('node.')) return false;
      try {
        return matches(parseSelector(spec.nodeSelector), labels);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        faults.push(`FelixConfiguration "${name}" is left out: its nodeSelector is none: ${why}`);
        return false;
      }
    })
    .sort(byAge);
  const [oldest, ...younger] = selecting;
  if (oldest && younger.length > 0) {
    const others = younger.map(({ metadata }) => `"${metadata.name}"`).join(', ');
    faults.push(
      `Several FelixConfigurations select this node; the oldest, "${oldest.metadata.name}", counts, and ${others} not`,
    );
  }
  const chosen = [...named(`node.${node}`), ...(oldest ? [oldest] : []), ...named('default')];
  return { layers: chosen.map(objectLayer), faults };
}

function byAge(a: FelixConfiguration, b: FelixConfiguration): number {
  const [first, second] = [a, b].map(
    ({ metadata }) => `${metadata.creationTimestamp ?? ''} ${metadata.name}`,
  );
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

function layerOf(list: readonly { name: string; raw: unknown; where: string }[]): Layer {
  return {
    values: new Map(
      list.map(({ name, raw, where }) => {
        const lower = name.toLowerCase();
        return [nameOfVariable.get(lower) ?? lower, { raw, where }];
      }),
    ),
  };
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
