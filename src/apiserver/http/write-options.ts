// What a write is asked to be besides a write, in its query: a dry run, strict about fields, whose.
import { quotedInGo } from '../go-words.ts';
import type { WriteOptions } from '../objects/intake.ts';
import { forbiddenValue, invalidShown, requiredValue, unsupportedValue } from '../schema/validate.ts';
import { type FieldFault, invalid } from '../status-error.ts';
import type { ResourceRequest } from './resource.ts';

/** The kinds under which Kubernetes speaks of a query. */
export type OptionsKind =
  | 'CreateOptions'
  | 'DeleteOptions'
  | 'ListOptions'
  | 'PatchOptions'
  | 'UpdateOptions';

const maxManagerLength = 128;

/** `isApply` tells a patch that is applied from one that is not. @throws StatusError 422 */
export function writeOptions(
  { request, query, warn }: ResourceRequest,
  kind: OptionsKind,
  isApply = false,
): WriteOptions {
  const manager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') || 'Warn';
  const faults = [
    ...managerFaults(manager),
    ...(kind === 'PatchOptions' ? patchFaults(query, manager, isApply) : []),
    ...dryRunFaults(query.getAll('dryRun')),
    ...fieldValidationFaults(fieldValidation),
  ];
  if (faults.length > 0) throw invalidOptions(kind, faults);
  const agent = request.headers['user-agent']?.split('/')[0] ?? 'unknown';
  return {
    dryRun: query.getAll('dryRun').includes('All'),
    fieldValidation: fieldValidation as WriteOptions['fieldValidation'],
    warn,
    fieldManager: manager || agent,
  };
}

export function invalidOptions(kind: OptionsKind, faults: readonly FieldFault[]) {
  return invalid({ group: 'meta.k8s.io', plural: '', kind }, '', faults);
}

export function dryRunFaults(values: readonly string[]): FieldFault[] {
  const given = values.filter((value) => value !== '');
  return given.every((value) => value === 'All') ? [] : [unsupportedValue('dryRun', given, ['All'])];
}

function managerFaults(manager: string): FieldFault[] {
  const field = 'fieldManager';
  const faults: FieldFault[] = [];
  if (manager.length > maxManagerLength) {
    const message = `Too long: may not be more than ${maxManagerLength} bytes`;
    faults.push({ field, reason: 'FieldValueTooLong', message });
  }
  const hidden = [...manager].findIndex((character) => /[\p{C}\p{Zl}\p{Zp}]/u.test(character));
  if (hidden >= 0) {
    const code = ([...manager][hidden]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const why = `invalid character U+${code} (at position ${hidden})`;
    faults.push(invalidShown(field, quotedInGo(manager), why));
  }
  return faults;
}

function patchFaults(query: URLSearchParams, manager: string, isApply: boolean): FieldFault[] {
  if (isApply) return manager === '' ? [requiredValue('fieldManager', 'is required for apply patch')] : [];
  const isForced = query.has('force');
  return isForced ? [forbiddenValue('force', 'may not be specified for non-apply patch')] : [];
}

function fieldValidationFaults(value: string): FieldFault[] {
  const allowed = ['', 'Ignore', 'Strict', 'Warn'];
  return allowed.includes(value) ? [] : [unsupportedValue('fieldValidation', value, allowed)];
}
