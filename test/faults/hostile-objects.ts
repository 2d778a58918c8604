// Objects that no validation would let in, as somebody with access to the store may leave them there: every kind that the agent
// follows, with something in it torn out, of another type, huge, or named like a part of JavaScript itself.
import { tunnelMac } from '../../src/calc/index.ts';
import type { Resource, ResourceKind } from '../../src/resources/index.ts';
import { type Json, policyTemplates, type Template } from './hostile-templates.ts';

export interface HostileObject {
  readonly kind: ResourceKind;
  readonly object: Resource;
}

const hostile: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.5,
  '',
  'Bogus',
  '__proto__',
  '10.0.0.300/99',
  '::/0',
  '0.0.0.0',
  '224.0.0.1',
  '127.0.0.1',
  '255.255.255.255/32',
  'fe80::1',
  // What a sound node says of itself.
  '172.30.0.11/24',
  '172.30.0.12/24',
  '10.1.0.64',
  '66:00:00:00:00:01',
  tunnelMac('node-2', 4),
  '00:00:00:00:00:00',
  '01:00:5e:00:00:01',
  'ff:ff:ff:ff:ff:ff',
  "a == 'b",
  'has(has(((((((((((',
  '\u0000\n"\\%s$`;drop',
  'x'.repeat(5_000),
  '(('.repeat(3_000),
  [],
  {},
  [null],
  [[[[{}]]]],
  { __proto__x: 1, constructor: 'x', toString: null },
  { matchLabels: null },
  { matchExpressions: [{ key: 'a', operator: 'In' }] },
  Array.from({ length: 300 }, (_, n) => n),
];

/** One that may be anything, of those kinds. `random` gives 0 to below 1. */
export function hostileObject(
  number: number,
  random: () => number,
  templates: readonly Template[] = policyTemplates,
): HostileObject {
  const below = (count: number) => Math.floor(random() * count);
  const [kind, template] = templates[below(templates.length)] ?? (templates[0] as Template);
  const body = bodyOf(template, number);
  const { name, namespace: original } =
    (body as { metadata?: { name?: string; namespace?: string } }).metadata ?? {};
  return wounded(
    kind,
    body,
    {
      name: name ?? `hostile-${number}`,
      ...(original !== undefined && { namespace: original }),
      uid: `uid-${number}`,
      resourceVersion: String(number + 1),
    },
    random,
  );
}

function bodyOf(template: Template[1], number: number): Json {
  return typeof template === 'function' ? template(number) : template;
}

/** An object that is there, under its own name. What it does not say the template does. */
export function hostileInstead(
  kind: ResourceKind,
  { metadata, ...rest }: Resource,
  template: Template[1],
  random: () => number,
): HostileObject {
  const { name, uid = '', resourceVersion = '' } = metadata;
  const { spec, ...body } = bodyOf(template, 0) as { readonly spec?: object };
  const own = rest as { readonly spec?: object };
  const whole = {
    ...body,
    ...own,
    ...((spec || own.spec) && { spec: { ...spec, ...own.spec } }),
    metadata: { ...metadata },
  };
  return wounded(kind, whole as unknown as Json, { name, uid, resourceVersion }, random);
}

/** `identity` stays: what a store is asked by is sound, or the object could not be in it. */
function wounded(
  kind: ResourceKind,
  template: Json,
  identity: Readonly<Record<string, string>>,
  random: () => number,
): HostileObject {
  const below = (count: number) => Math.floor(random() * count);
  const body = structuredClone(template) as { [key: string]: Json };
  for (let wounds = 1 + below(3); wounds > 0; wounds--) {
    const places = placesIn(body);
    const [holder, key] = places[below(places.length)] ?? [body, 'spec'];
    if (random() < 0.2) delete (holder as Record<string, Json>)[key];
    else (holder as Record<string, Json>)[key] = structuredClone(hostile[below(hostile.length)] ?? null);
  }
  const metadata = typeof body.metadata === 'object' ? body.metadata : {};
  const object = {
    ...body,
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: { ...metadata, ...identity },
  };
  return { kind, object: object as unknown as Resource };
}

/** Every place in a document: what holds it, and by which key. */
function placesIn(value: Json): [holder: object, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [value, key] as [object, string],
    ...placesIn(child as Json),
  ]);
}
