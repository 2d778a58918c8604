// Where a BGP peer is: "10.0.0.1", "10.0.0.1:1790", "fd00::1", "[fd00::1]:1790".
import { type Address, tryParseAddress } from '../../../net/index.ts';

/** The address without its port; undefined when the text is not such a place. */
export function peerAddressOf(text: string): Address | undefined {
  const whole = tryParseAddress(text);
  if (whole) return whole;
  const [, inBrackets, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = tryParseAddress(inBrackets ?? bare ?? '');
  const fits = Number(port) >= 1 && Number(port) <= 65535 && address?.family === (inBrackets ? 6 : 4);
  return fits ? address : undefined;
}
