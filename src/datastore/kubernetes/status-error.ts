// Turns what an API server answers in failure (metav1.Status) into the store's errors.
// Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#http-status-codes
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  InvalidResourceError,
  NotFoundError,
  UnavailableError,
} from '../errors.ts';

/** The revision or the continue token is older than what the server remembers: list again. */
export class ExpiredError extends Error {
  override readonly name = 'ExpiredError';
}

/** The server turned the request away without doing it, and says when to come back. */
export class TurnedAwayError extends UnavailableError {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface StatusDocument {
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number };
}

/** Longer than that no timer waits: it would be over at once. */
const longestPatienceMs = 2 ** 31 - 1;

/** `attempt` begins the sentence: 'Cannot update Pod "a/b"'. `retryAfter` is the header's text, in seconds. */
export function statusError(
  attempt: string,
  code: number,
  status: StatusDocument,
  retryAfter?: string,
): Error {
  const message = `${attempt}: ${status.message ?? `the API server answered ${code}`}`;
  const seconds = Number(retryAfter ?? status.details?.retryAfterSeconds ?? Number.NaN);
  switch (code) {
    case 401:
    case 403:
      return new ForbiddenError(message);
    case 404:
      return new NotFoundError(message);
    case 409:
      return status.reason === 'AlreadyExists' ? new AlreadyExistsError(message) : new ConflictError(message);
    case 410:
      return new ExpiredError(message);
    case 429:
    case 503:
      return Number.isFinite(seconds)
        ? new TurnedAwayError(message, Math.min(seconds * 1000, longestPatienceMs))
        : new UnavailableError(message);
  }
  return code >= 500 || code === 429 ? new UnavailableError(message) : new InvalidResourceError(message);
}
