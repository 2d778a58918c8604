// Whom a policy, or an end of one of its rules, can mean: its selectors over endpoints, namespaces and service accounts
// as one selector over an endpoint's own and inherited labels.
import { and, not, parseSelector, prefixLabels, type Selector } from '../../selector/index.ts';
import { nameLabel, namespaceLabel, namespaceLabelPrefix, serviceAccountLabelPrefix } from '../labels.ts';

const namespaced: Selector = { kind: 'has', label: namespaceLabel };

export interface Scope {
  /** The policy's own namespace; undefined for a global policy. */
  readonly namespace: string | undefined;
  readonly selector?: string | undefined;
  readonly namespaceSelector?: string | undefined;
  readonly serviceAccounts?: { readonly names?: readonly string[]; readonly selector?: string } | undefined;
}

/**
 * Without a namespace selector a namespaced policy means its own namespace, and a global one everything. "global()" means
 * what belongs to no namespace. @throws SelectorSyntaxError
 */
export function scopeSelector({ namespace, selector, namespaceSelector, serviceAccounts }: Scope): Selector {
  return and(
    ...whereSelectors(namespace, namespaceSelector),
    ...accountSelectors(serviceAccounts),
    parseSelector(selector ?? ''),
  );
}

function whereSelectors(namespace: string | undefined, text: string | undefined): Selector[] {
  if (text) {
    const selector = parseSelector(text);
    if (selector.kind === 'global') return [not(namespaced)];
    return [namespaced, prefixLabels(selector, namespaceLabelPrefix)];
  }
  return namespace === undefined ? [] : [{ kind: '==', label: namespaceLabel, value: namespace }];
}

function accountSelectors(accounts: Scope['serviceAccounts']): Selector[] {
  if (!accounts) return [];
  const selectors: Selector[] = [];
  if (accounts.names?.length) {
    const values = [...new Set(accounts.names)].sort();
    selectors.push({ kind: 'in', label: serviceAccountLabelPrefix + nameLabel, values });
  }
  if (accounts.selector) {
    // Every service account has its name as a label: what has none runs as none.
    selectors.push(
      { kind: 'has', label: serviceAccountLabelPrefix + nameLabel },
      prefixLabels(parseSelector(accounts.selector), serviceAccountLabelPrefix),
    );
  }
  return selectors;
}
