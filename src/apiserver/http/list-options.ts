// What a query says of a list or a watch, besides its selectors.
import { forbiddenValue, unsupportedValue } from '../schema/validate.ts';
import { badRequest, type FieldFault } from '../status-error.ts';
import { isTrue } from './is-true.ts';
import { invalidOptions } from './write-options.ts';

/** A whole number of the query; 0 when it names none. @throws StatusError 400 */
export function integerIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) || '0';
  if (/^[-+]?\d+$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** @throws StatusError 400, 422 for options that contradict each other */
export function assertListOptions(query: URLSearchParams): void {
  integerIn(query, 'limit');
  integerIn(query, 'timeoutSeconds');
  const faults = isTrue(query.get('watch')) ? watchFaults(query) : listFaults(query);
  if (faults.length > 0) throw invalidOptions('ListOptions', faults);
  if (query.get('continue') && query.get('resourceVersion') && query.get('resourceVersion') !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

const matchField = 'resourceVersionMatch';

function listFaults(query: URLSearchParams): FieldFault[] {
  const match = query.get(matchField) ?? '';
  const revision = query.get('resourceVersion') ?? '';
  const faults: FieldFault[] = [];
  const forbid = (field: string, why: string) => faults.push(forbiddenValue(field, why));
  if (match !== '') {
    if (revision === '') forbid(matchField, `${matchField} is forbidden unless resourceVersion is provided`);
    if (query.get('continue')) forbid(matchField, `${matchField} is forbidden when continue is provided`);
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      faults.push(unsupportedValue(matchField, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && revision === '0') {
      forbid(matchField, `${matchField} "exact" is forbidden for resourceVersion "0"`);
    }
  }
  if (query.has('sendInitialEvents')) {
    forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  }
  return faults;
}

function watchFaults(query: URLSearchParams): FieldFault[] {
  const match = query.get(matchField) ?? '';
  const hasInitial = query.has('sendInitialEvents');
  const faults: FieldFault[] = [];
  const forbid = (why: string) => faults.push(forbiddenValue(matchField, why));
  if (hasInitial && match !== 'NotOlderThan') {
    forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (match !== '') {
    if (!hasInitial) forbid(`${matchField} is forbidden for watch unless sendInitialEvents is provided`);
    if (match !== 'NotOlderThan') faults.push(unsupportedValue(matchField, match, ['NotOlderThan']));
  }
  if (query.get('continue')) forbid(`${matchField} is forbidden when continue is provided`);
  return faults;
}
