// Why an address could not be had or given back, by what the caller can do about it.

/** No pool is for this request: change the pools, the selectors or the request. */
export class NoPoolError extends Error {
  override readonly name = 'NoPoolError';
}

/** The pools are for this request, and have nothing left for this node. */
export class PoolExhaustedError extends Error {
  override readonly name = 'PoolExhaustedError';
}

/** The address that was asked for belongs to somebody else. */
export class AddressInUseError extends Error {
  override readonly name = 'AddressInUseError';
}

/** The block still holds addresses, and was only to be released when empty. */
export class BlockNotEmptyError extends Error {
  override readonly name = 'BlockNotEmptyError';
}
