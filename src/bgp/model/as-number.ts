// Numbers of autonomous systems, in both notations of RFC 5396: "4200000000" and "64086.59904".

/** Undefined when it is no number from 1 to 4294967295. Dots make sense in text alone: 1.10 as a number is 1.1. */
export function parseAsNumber(text: string | number): number | undefined {
  if (typeof text === 'number' && !Number.isInteger(text)) return undefined;
  const [, high, low = ''] = /^(?:([0-9]{1,5})\.)?([0-9]{1,10})$/.exec(String(text)) ?? [];
  if (low === '' || (high !== undefined && (Number(high) > 65535 || Number(low) > 65535))) return undefined;
  const value = Number(high ?? 0) * 65536 + Number(low);
  return value >= 1 && value <= 0xffffffff ? value : undefined;
}
