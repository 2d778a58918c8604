// A fault of an object, or of a manifest, as one line for a person.
import type { ManifestFault } from './manifest-entry.ts';

/** `policy.yaml:14: spec.ingress[0].source.nets[1]: "10.0.0.300/8" must be a CIDR ...` */
export function describeFault(fault: ManifestFault): string {
  return `${fault.file}:${fault.line}: ${faultText(fault)}`;
}

/** `spec.cidr: "10.0.0.0/33" must be a CIDR ...`, for an object that stands in no file. */
export function faultText({
  path,
  value,
  message,
}: Pick<ManifestFault, 'path' | 'value' | 'message'>): string {
  const subject = isScalar(value) && message.startsWith('must') ? `: ${JSON.stringify(value)}` : '';
  return `${path}${subject} ${message}`.replace(/^:? /, '');
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
