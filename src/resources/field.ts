// The words that a kind's schema is written with: TypeBox types cut down to what a structural CRD schema can say.
// What they build is plain JSON Schema, so the CRD, the validator and the TypeScript type read the same object.
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';

/** Bounds and notes of a field, in the keywords of a CRD's schema. */
export interface FieldOptions {
  description?: string;
  default?: unknown;
  format?: string;
  pattern?: string;
  /** The pattern in words, for our own validator: "must be a duration, such as ...". */
  patternMessage?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  nullable?: true;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic';
  'x-kubernetes-validations'?: Rule[];
  /**
   * What is wrong with a value, for what CEL cannot say or not cheaply enough: follows the path, undefined when nothing
   * is. Ours alone; it never gets into the CRD. Only called on values whose shape is right.
   */
  check?(value: unknown): string | undefined;
}

/** A rule about several fields, or about a change: once for the API server, once for our own validator. */
export interface Rule {
  /** Common Expression Language, as `x-kubernetes-validations` takes it. */
  rule: string;
  /** A sentence that follows the path of the field that carries the rule: "cannot be changed". */
  message: string;
  /** The same rule here; `old` is absent when the object is new. Only called on values whose shape is right. */
  holds(value: unknown, old?: unknown): boolean;
}

/** A rule over values of a known type: the schema that carries it has made sure of their shape. */
export function ruleFor<T>(rule: string, message: string, holds: (value: T, old?: T) => boolean): Rule {
  return { rule, message, holds: (value, old) => holds(value as T, old as T | undefined) };
}

export const {
  Object: object,
  Optional: optional,
  String: string,
  Number: number,
  Integer: integer,
  Boolean: boolean,
} = Type;

/** One of these words. */
export function oneOf<const Values extends readonly string[]>(
  values: Values,
  options: FieldOptions = {},
): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ ...options, type: 'string', enum: values });
}

/** One of these numbers. */
export function oneOfNumbers<const Values extends readonly number[]>(
  values: Values,
  options: FieldOptions = {},
): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ ...options, type: 'integer', enum: values });
}

/** One of these words, as a rule: for fields whose published schema names no values. */
export function word<const Values extends readonly string[]>(
  values: Values,
  options: FieldOptions = {},
): TUnsafe<Values[number]> {
  const listed = values.map((value) => `"${value}"`).join(', ');
  const rule = ruleFor<string>(
    `self in [${values.map((value) => `'${value}'`).join(', ')}]`,
    `must be one of ${listed}`,
    (value) => values.includes(value),
  );
  return Type.Unsafe<Values[number]>({ ...options, type: 'string', 'x-kubernetes-validations': [rule] });
}

export function arrayOf<Item extends TSchema>(
  item: Item,
  options: FieldOptions = {},
): TUnsafe<Static<Item>[]> {
  return Type.Unsafe<Static<Item>[]>({ ...options, type: 'array', items: item });
}

/** A map from any string to values of one schema. */
export function mapOf<Value extends TSchema>(
  value: Value,
  options: FieldOptions = {},
): TUnsafe<Record<string, Static<Value>>> {
  return Type.Unsafe<Record<string, Static<Value>>>({
    ...options,
    type: 'object',
    additionalProperties: value,
  });
}

/** An integer that may stand as null, as a free address does in a block. */
export function nullableInteger(options: FieldOptions = {}): TUnsafe<number | null> {
  return Type.Unsafe<number | null>({ ...options, type: 'integer', nullable: true });
}

/** A number, or a string in its place, with the pattern that Calico publishes: ports, port ranges, protocols. */
export function integerOrString(options: FieldOptions = {}): TUnsafe<number | string> {
  return plainIntegerOrString({ pattern: '^.*', ...options });
}

/** A number, or a string in its place, as Kubernetes' own types have it. */
export function plainIntegerOrString(options: FieldOptions = {}): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    ...options,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  });
}

/** A Kubernetes condition (metav1.Condition), as the statuses of Calico's kinds carry them. */
export function conditions() {
  return arrayOf(
    object({
      lastTransitionTime: string({ format: 'date-time', description: 'When `status` last changed.' }),
      message: string({ maxLength: 32768, description: 'For people: what the condition means here.' }),
      observedGeneration: optional(
        integer({ minimum: 0, format: 'int64', description: 'The generation that was judged.' }),
      ),
      reason: string({
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
        description: 'For programs: one CamelCase word why.',
      }),
      status: oneOf(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
      type: string({
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
        description: 'Name of the condition; one of each.',
      }),
    }),
    {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      description: 'What can be said of the object now.',
    },
  );
}
