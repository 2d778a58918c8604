// BGPFilters as data. A filter with one bad rule is closed as a whole: rules build on those before them.
import { bitsOf, type Family, formatCidr, tryParseCidr } from '../../net/index.ts';
import type { BGPFilter, BGPFilterRule } from '../../resources/index.ts';
import { parseAsNumber } from './as-number.ts';
import type { Fault, Filter, FilterMatch, FilterOperation, FilterRule } from './bgp-model.ts';
import { isCommunity } from './communities.ts';
import { greatestPriority, isWithin } from './settings.ts';

const operators: readonly string[] = ['Equal', 'NotEqual', 'In', 'NotIn'];

/** Undefined when the filter cannot be used; why has been reported. */
export function filterOf({ metadata, spec }: BGPFilter, report: (fault: Fault) => void): Filter | undefined {
  const faults: string[] = [];
  const rules = (field: 'importV4' | 'importV6' | 'exportV4' | 'exportV6', family: Family) =>
    (spec[field] ?? []).map((rule, index) =>
      ruleOf(rule, family, (fault) => faults.push(`spec.${field}[${index}].${fault}`)),
    );
  const filter = {
    name: metadata.name,
    import: { 4: rules('importV4', 4), 6: rules('importV6', 6) },
    export: { 4: rules('exportV4', 4), 6: rules('exportV6', 6) },
  };
  if (faults.length === 0) return filter;
  report({
    object: `BGPFilter "${metadata.name}"`,
    sentence: `${faults.join('; ')}; no route passes sessions that use it`,
  });
  return undefined;
}

function ruleOf(rule: BGPFilterRule, family: Family, complain: (fault: string) => void): FilterRule {
  const action = rule.action;
  if (action !== 'Accept' && action !== 'Reject')
    complain(`action: "${action}" is neither Accept nor Reject`);
  return {
    action,
    matches: matchesOf(rule, family, complain),
    operations: (rule.operations ?? []).flatMap((operation, index) => {
      const known = operationOf(operation);
      if (!known) complain(`operations[${index}]: is not an operation with a valid value`);
      return known ? [known] : [];
    }),
  };
}

function matchesOf(rule: BGPFilterRule, family: Family, complain: (fault: string) => void): FilterMatch[] {
  const matches: FilterMatch[] = [];
  if (rule.cidr) {
    const cidr = tryParseCidr(rule.cidr);
    const bits = bitsOf(family);
    const minLength = rule.prefixLength?.min ?? cidr?.length ?? 0;
    const maxLength = rule.prefixLength?.max ?? bits;
    if (cidr?.family !== family) complain(`cidr: "${rule.cidr}" is not an IPv${family} CIDR`);
    else if (rule.matchOperator === undefined || !operators.includes(rule.matchOperator)) {
      complain(`matchOperator: "${rule.matchOperator}" is not Equal, NotEqual, In or NotIn`);
    } else if (!isWithin(maxLength, 0, bits) || !isWithin(minLength, 0, maxLength)) {
      complain(`prefixLength: there is no length from ${minLength} to ${maxLength}`);
    } else {
      matches.push({
        kind: 'net',
        operator: rule.matchOperator,
        cidr: formatCidr(cidr),
        minLength,
        maxLength,
      });
    }
  }
  if (rule.source === 'RemotePeers') matches.push({ kind: 'remote' });
  if (rule.interface !== undefined) {
    if (/^[a-zA-Z0-9_.*-]{1,15}$/.test(rule.interface))
      matches.push({ kind: 'interface', pattern: rule.interface });
    else complain(`interface: "${rule.interface}" is not the name of an interface`);
  }
  if (rule.peerType !== undefined) matches.push({ kind: 'peerType', type: rule.peerType });
  for (const value of rule.communities?.values ?? []) {
    if (isCommunity(value)) matches.push({ kind: 'community', value });
    else complain(`communities: "${value}" is not a community`);
  }
  if (rule.asPathPrefix && rule.asPathPrefix.length > 0) {
    const asNumbers = asNumbersOf(rule.asPathPrefix);
    if (asNumbers) matches.push({ kind: 'pathPrefix', asNumbers });
    else complain(`asPathPrefix: "${rule.asPathPrefix.join(' ')}" are not all AS numbers`);
  }
  if (isWithin(rule.priority, 1, greatestPriority))
    matches.push({ kind: 'priority', value: Number(rule.priority) });
  else if (rule.priority !== undefined)
    complain(`priority: ${rule.priority} is not from 1 to ${greatestPriority}`);
  return matches;
}

function operationOf(
  operation: NonNullable<BGPFilterRule['operations']>[number],
): FilterOperation | undefined {
  const { addCommunity, prependASPath, setPriority } = operation;
  if (addCommunity)
    return isCommunity(addCommunity.value) ? { kind: 'addCommunity', value: addCommunity.value } : undefined;
  if (prependASPath) {
    const asNumbers = asNumbersOf(prependASPath.prefix);
    return asNumbers && { kind: 'prependPath', asNumbers };
  }
  return setPriority && isWithin(setPriority.value, 1, greatestPriority)
    ? { kind: 'setPriority', value: setPriority.value }
    : undefined;
}

/** Undefined when one of them is none. */
function asNumbersOf(values: readonly number[]): number[] | undefined {
  const parsed = values.map(parseAsNumber);
  return parsed.every((value) => value !== undefined) ? parsed : undefined;
}
