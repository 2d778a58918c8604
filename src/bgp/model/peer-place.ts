// Where a BGP peer is: "10.0.0.1", "10.0.0.1:1790", "fd00::1", "[fd00::1]:1790".
import { type Address, tryParseAddress } from '../../net/index.ts';

/** The port is absent when the text says none; all is undefined when the text is not such a place. */
export function peerPlaceOf(text: string): { address: Address; port?: number } | undefined {
  const whole = tryParseAddress(text);
  if (whole) return { address: whole };
  const [, inBrackets, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = tryParseAddress(inBrackets ?? bare ?? '');
  const fits = Number(port) >= 1 && Number(port) <= 65535 && address?.family === (inBrackets ? 6 : 4);
  return fits && address ? { address, port: Number(port) } : undefined;
}
