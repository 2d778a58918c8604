// What can go wrong with the store, by what the caller can do about it.

/** The object does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

/** An object of that name exists already. */
export class AlreadyExistsError extends Error {
  override readonly name = 'AlreadyExistsError';
}

/** Somebody else changed the object in between: read it again and decide anew. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

/** The store refuses the object as it stands; trying again without changing it is no use. */
export class InvalidResourceError extends Error {
  override readonly name = 'InvalidResourceError';
}

/** What the store holds under that name is not what its kind is: nobody may take it for one. */
export class MisfitError extends Error {
  override readonly name = 'MisfitError';
}

/** The store forbids this to us (credentials or roles). */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
}

/** The store did not answer, or answered that it cannot now: whether a write happened is unknown. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}
