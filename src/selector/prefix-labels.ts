// A selector over the labels of something else: of the namespace or the service account that an endpoint belongs to.
import type { Selector } from './selector.ts';

/** The same selector with every label's name prefixed: what a namespace calls "team" its endpoints call "pcns.team". */
export function prefixLabels(selector: Selector, prefix: string): Selector {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return selector;
    case 'not':
      return { kind: 'not', operand: prefixLabels(selector.operand, prefix) };
    case 'and':
    case 'or':
      return { ...selector, operands: selector.operands.map((operand) => prefixLabels(operand, prefix)) };
    default:
      return { ...selector, label: prefix + selector.label };
  }
}
