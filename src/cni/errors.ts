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
  /** STATUS: ADD would fail now. */
  notAvailable: 50,
  /** STATUS: ADD would fail now, and pods that are there may not be connected as they should. */
  limitedConnectivity: 51,
  /** From 100 on, codes are the plugin's own. */
  failed: 100,
} as const;

export type CniErrorCode = (typeof cniErrorCodes)[keyof typeof cniErrorCodes];

export class CniError extends Error {
  override readonly name = 'CniError';
  /** One of `cniErrorCodes`, or what another plugin that we called said. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function invalid(message: string): CniError {
  return new CniError(cniErrorCodes.invalidConfiguration, message);
}
