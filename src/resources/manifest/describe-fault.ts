// A fault of a manifest as one line for a person.
import type { ManifestFault } from './manifest-entry.ts';

/** `policy.yaml:14: spec.ingress[0].source.nets[1]: "10.0.0.300/8" must be a CIDR ...` */
export function describeFault(fault: ManifestFault): string {
  const { file, line, path, value, message } = fault;
  const subject = isScalar(value) && message.startsWith('must') ? `: ${JSON.stringify(value)}` : '';
  return `${file}:${line}: ${`${path}${subject} ${message}`.replace(/^:? /, '')}`;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
