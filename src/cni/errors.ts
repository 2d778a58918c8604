// What a CNI plugin answers when it cannot do what it was asked. Codes: section 5 of the CNI specification.

export const cniErrorCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfiguration: 7,
  tryAgainLater: 11,
  /** From 100 on, codes are the plugin's own. */
  failed: 100,
} as const;

export type CniErrorCode = (typeof cniErrorCodes)[keyof typeof cniErrorCodes];

export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniErrorCode;

  constructor(code: CniErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
