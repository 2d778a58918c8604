// The string formats that CRD schemas may name. An unknown format is accepted, as Kubernetes does.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { tryParseCidr } from '../../net/index.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const date = /^\d{4}-\d{2}-\d{2}$/;
const mac = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
/** Go's duration ("1h30m", "1.5s"); a bare "0" counts. */
const duration = /^[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*)$/;
const base64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const formats: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': (value) => dateTime.test(value) && !Number.isNaN(Date.parse(value)),
  date: (value) => date.test(value) && !Number.isNaN(Date.parse(value)),
  duration: (value) => duration.test(value),
  ip: (value) => isIP(value) !== 0,
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (value) => tryParseCidr(value) !== undefined,
  mac: (value) => mac.test(value),
  uuid: (value) => uuid.test(value),
  byte: (value) => base64.test(value),
  uri: (value) => URL.canParse(value),
  hostname: (value) =>
    value.length <= 253 && value.split('.').every((part) => part.length <= 63 && label.test(part)),
};

export function isFormat(format: string, value: string): boolean {
  // One that is not known here demands nothing.
  return Object.hasOwn(formats, format) ? (formats[format]?.(value) ?? true) : true;
}
