// What a selector certainly demands of single labels. An index uses it to look only at the objects that can match,
// and at the selectors that a set of labels can satisfy.
import type { Selector } from './selector.ts';

/** The label must be there, with one of these values; with any value where `values` is undefined. */
export interface RequiredLabel {
  readonly label: string;
  readonly values: readonly string[] | undefined;
}

/** Necessary conditions, each on one label; an empty list when the selector demands nothing of any one label. */
export function requiredLabels(selector: Selector): RequiredLabel[] {
  switch (selector.kind) {
    case '==':
      return [{ label: selector.label, values: [selector.value] }];
    case 'in':
      return [{ label: selector.label, values: selector.values }];
    case 'has':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return [{ label: selector.label, values: undefined }];
    case 'and':
      return selector.operands.flatMap(requiredLabels);
    default:
      return [];
  }
}
