// Kubernetes' label selectors as selectors of our own language.
import type { LabelSelector } from '../../resources/index.ts';
import { all, and, type Selector } from '../../selector/index.ts';

/** `prefix` goes before every label name. An empty selector matches everything. @throws RangeError for an unknown operator, or one that lacks its values */
export function fromLabelSelector(selector: LabelSelector, prefix = ''): Selector {
  const equalities = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]): Selector => ({ kind: '==', label: prefix + label, value }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }): Selector => {
    const label = prefix + key;
    if ((operator === 'In' || operator === 'NotIn') && !values?.length)
      throw new RangeError(`a label selector says "${key}" ${operator}, and no values`);
    switch (operator) {
      case 'In':
        return { kind: 'in', label, values: [...new Set(values)].sort() };
      case 'NotIn':
        return { kind: 'not in', label, values: [...new Set(values)].sort() };
      case 'Exists':
        return { kind: 'has', label };
      case 'DoesNotExist':
        return { kind: 'not', operand: { kind: 'has', label } };
      default:
        throw new RangeError(`"${operator}" is not an operator of a label selector`);
    }
  });
  return and(all, ...equalities, ...expressions);
}
