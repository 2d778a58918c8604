// Kubernetes' label selector (metav1.LabelSelector) as a schema; Calico's own selectors are texts.
import Type, { type TUnsafe } from 'typebox';
import { arrayOf, mapOf, object, optional, string } from './field.ts';
import type { LabelSelector } from './kubernetes/network-policy.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;
const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

interface Requirement {
  operator: string;
  values?: string[];
}

/** CEL is left out on purpose: the published schema bounds nothing here, so rules over the lists would cost too much. */
function requirementFault(value: unknown): string | undefined {
  const { operator, values = [] } = value as Requirement;
  if (!operators.includes(operator)) return `must have one of the operators ${operators.join(', ')}`;
  const wantsValues = operator === 'In' || operator === 'NotIn';
  if (wantsValues && values.length === 0) return `must have values with the operator ${operator}`;
  return !wantsValues && values.length > 0 ? `cannot have values with the operator ${operator}` : undefined;
}

export function labelSelector(options: { description: string }): TUnsafe<LabelSelector> {
  const schema = object(
    {
      matchLabels: optional(mapOf(string(), { description: 'Labels that must have these values.' })),
      matchExpressions: optional(
        arrayOf(
          object(
            {
              key: string({ description: 'The label.' }),
              operator: string({ description: 'In, NotIn, Exists or DoesNotExist.' }),
              values: optional(arrayOf(string(), { ...atomic, description: 'For In and NotIn.' })),
            },
            { check: requirementFault },
          ),
          { ...atomic, description: 'Requirements that must all hold.' },
        ),
      ),
    },
    { ...options, 'x-kubernetes-map-type': 'atomic' },
  );
  // The operator is a plain string in the published schema; that it is one of four is in the check.
  return Type.Unsafe<LabelSelector>(schema);
}
