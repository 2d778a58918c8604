// What Calico's own kinds share: their API group and the outline of their objects.
import type { TSchema } from 'typebox';
import { object, optional, type Rule, ruleFor } from '../field.ts';
import type { Example, PrinterColumn, Resource, ResourceKind, Salvage } from '../resource.ts';

interface Declaration<T extends Resource> {
  readonly kind: string;
  readonly plural: string;
  readonly description: string;
  readonly namespaced?: true;
  readonly shortNames?: readonly string[];
  readonly aliases?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly string[];
  readonly rules?: readonly Rule[];
  check?(object: Resource): string | undefined;
  flaw?(object: T): string | undefined;
  salvage?(object: Resource): Salvage<T> | undefined;
  readonly example?: Example;
  readonly spec: TSchema;
  /** Present when the kind has a status subresource. */
  readonly status?: TSchema;
}

/** A kind of `projectcalico.org/v3` whose objects carry a spec and, perhaps, a status. */
export function calicoKind<T extends Resource>({ spec, status, ...rest }: Declaration<T>): ResourceKind<T> {
  return {
    namespaced: false,
    ...rest,
    group: 'projectcalico.org',
    version: 'v3',
    hasStatus: status !== undefined,
    schema: object({
      spec: { ...spec, description: 'What you ask for.' },
      ...(status && {
        status: optional({ ...status, description: 'What Calico found; not for you to write.' }),
      }),
    }),
  };
}

/** How long ago the object was made. */
export const ageColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

/** For kinds of which there is one object. */
export const namedDefault = ruleFor<Resource>(
  "self.metadata.name == 'default'",
  'must be named "default": there is one for the cluster',
  ({ metadata }) => metadata.name === 'default',
);
