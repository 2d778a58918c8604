// What a deletion is asked to heed: `metav1.DeleteOptions` from a body, which may be absent, and from the query.
import { goTypeOf, noObject } from '../go-words.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { DeleteOptions } from '../objects/delete.ts';
import { invalidValue, unsupportedValue } from '../schema/validate.ts';
import { type FieldFault, StatusError } from '../status-error.ts';
import type { Body } from './body.ts';
import { integerIn } from './list-options.ts';
import { dryRunFaults, invalidOptions } from './write-options.ts';

const policies = ['Foreground', 'Background', 'Orphan', 'nil'];

/** @throws StatusError 400, 422, and 500 for a body that is none, which is how the real server says it */
export function readDeleteOptions(body: Body, query: URLSearchParams): DeleteOptions {
  const options = bodyOf(body);
  const dryRun = Array.isArray(options.dryRun) ? options.dryRun.map(String) : query.getAll('dryRun');
  const policy = options.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const faults = [...propagationFaults(policy, options.orphanDependents), ...dryRunFaults(dryRun)];
  if (faults.length > 0) throw invalidOptions('DeleteOptions', faults);
  const grace = query.has('gracePeriodSeconds')
    ? integerIn(query, 'gracePeriodSeconds')
    : options.gracePeriodSeconds;
  const { uid, resourceVersion } = isObject(options.preconditions) ? options.preconditions : {};
  return {
    dryRun: dryRun.includes('All'),
    ...(typeof grace === 'number' && grace >= 0 ? { gracePeriodSeconds: grace } : {}),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  };
}

function bodyOf({ value: body, text, fault }: Body): JsonObject {
  if (body === null || (body === undefined && text === '')) return {};
  if (!isObject(body)) {
    const why = fault ?? noObject(body ?? null);
    throw unreadable(`couldn't get version/kind; json parse error: ${why}`);
  }
  const { kind = '', apiVersion = '', gracePeriodSeconds: grace } = body;
  if (kind !== '' && kind !== 'DeleteOptions') {
    throw unreadable(
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:110"`,
    );
  }
  if (grace !== undefined && grace !== null && typeof grace !== 'number') {
    const field = 'Go struct field DeleteOptions.gracePeriodSeconds of type int64';
    throw unreadable(`json: cannot unmarshal ${goTypeOf(grace)} into ${field}`);
  }
  return body;
}

function unreadable(why: string): StatusError {
  return new StatusError(500, '', why);
}

function propagationFaults(policy: Json | undefined, orphan: Json | undefined): FieldFault[] {
  if (policy === undefined || policy === null || policy === '') return [];
  const faults: FieldFault[] = [];
  if (orphan !== undefined && orphan !== null) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    faults.push(invalidValue('propagationPolicy', policy, why));
  }
  if (!policies.slice(0, -1).includes(String(policy))) {
    faults.push(unsupportedValue('propagationPolicy', policy, policies));
  }
  return faults;
}
