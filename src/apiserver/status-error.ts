// The refusals of the API, as `metav1.Status` says them. Reasons and codes are those of Kubernetes' API conventions.
import type { JsonObject } from './json.ts';

/** One field at fault, as it stands in `details.causes`. */
export interface FieldFault {
  readonly field: string;
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueNotFound'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'FieldManagerConflict';
  readonly message: string;
}

/** The kind of thing a refusal speaks of; a ResourceType is one. */
export interface Subject {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** A refusal that becomes the answer: HTTP code and Status body. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  /** Empty for what Kubernetes has no word for. */
  readonly reason: string;
  readonly details: JsonObject | undefined;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

const qualified = (name: string, group: string) => (group ? `${name}.${group}` : name);

function detailsOf(subject: Subject, name: string): JsonObject {
  return {
    ...(name ? { name } : {}),
    ...(subject.group ? { group: subject.group } : {}),
    kind: subject.plural,
  };
}

export function notFound(subject: Subject, name: string): StatusError {
  const message = `${qualified(subject.plural, subject.group)} "${name}" not found`;
  return new StatusError(404, 'NotFound', message, detailsOf(subject, name));
}

/** The path itself leads nowhere. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(subject: Subject, name: string): StatusError {
  const message = `${qualified(subject.plural, subject.group)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, detailsOf(subject, name));
}

export function conflict(subject: Subject, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(subject.plural, subject.group)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, detailsOf(subject, name));
}

export function forbidden(subject: Subject, name: string, why: string, causes?: JsonObject[]): StatusError {
  const message = `${qualified(subject.plural, subject.group)} "${name}" is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, {
    ...detailsOf(subject, name),
    ...(causes ? { causes } : {}),
  });
}

export function invalid(subject: Subject, name: string, faults: readonly FieldFault[]): StatusError {
  const lines = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const message = `${qualified(subject.kind, subject.group)} "${name}" is invalid: ${list}`;
  return new StatusError(422, 'Invalid', message, {
    ...detailsOf(subject, name),
    kind: subject.kind,
    causes: faults.map(({ field, reason, message }) => ({ reason, message, field })),
  });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

/** The revision asked for is no longer (or not) known. Clients list again. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', message, {});
}

/** What custom kinds say of a method that they do not have. */
export function verbNotSupported(subject: Subject, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind "${qualified(subject.plural, subject.group)}"`;
  return new StatusError(405, 'MethodNotAllowed', message, detailsOf(subject, ''));
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}
