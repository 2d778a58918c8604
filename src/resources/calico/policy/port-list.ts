// The ports of a rule: numbers, ranges ("8080:8090") and names of ports of the endpoints.
import { arrayOf, type FieldOptions, integerOrString } from '../../field.ts';

const maxPort = 65535;
const outOfRange = `must be from 0 to ${maxPort}`;

export function portList(options: FieldOptions) {
  const port = integerOrString({ check: portFault });
  return arrayOf(port, { maxItems: 50, 'x-kubernetes-list-type': 'atomic', ...options });
}

/** Whether a port is the name of one: of TCP, where the rule has no protocol. */
export function isNamedPort(port: number | string): boolean {
  return typeof port === 'string' && !/^[0-9]+(:[0-9]+)?$/.test(port);
}

function portFault(port: unknown): string | undefined {
  if (typeof port !== 'string') return Number(port) >= 0 && Number(port) <= maxPort ? undefined : outOfRange;
  const range = /^([0-9]+)(?::([0-9]+))?$/.exec(port);
  if (!range) {
    return /^[a-zA-Z0-9_.-]{1,128}$/.test(port)
      ? undefined
      : 'must be a port, a range such as "8080:8090", or the name of a port';
  }
  const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])];
  if (first > maxPort || last > maxPort) return outOfRange;
  return first > last ? 'must be a range from the lower port to the higher' : undefined;
}
