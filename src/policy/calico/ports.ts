// Lists of ports as Calico's rules have them: numbers, ranges "8080:8090" and names.
import { mergeRanges, type Range } from '../../net/index.ts';

export interface PortList {
  readonly ranges: readonly Range<number>[];
  readonly names: readonly string[];
}

/** @throws RangeError for what is neither a number, nor a range, nor a name */
export function readPorts(ports: readonly (number | string)[]): PortList {
  const ranges: Range<number>[] = [];
  const names = new Set<string>();
  for (const port of ports) {
    const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(port));
    if (match) {
      const first = Number(match[1]);
      const last = Number(match[2] ?? match[1]);
      if (first > last || last > 65535) throw new RangeError(`"${port}" is no range of ports`);
      ranges.push({ first, last });
    } else if (typeof port === 'string' && /^[a-zA-Z0-9_.-]{1,128}$/.test(port)) names.add(port);
    else throw new RangeError(`"${port}" is not a port`);
  }
  return { ranges: mergeRanges(ranges), names: [...names].sort() };
}
