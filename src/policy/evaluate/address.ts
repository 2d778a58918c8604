// Addresses and blocks compared bit by bit, as one would on paper.
import { parseAddress } from '../../net/index.ts';

/** `block` is a CIDR, or a bare address that means itself. */
export function isWithin(address: string, block: string): boolean {
  const [network = '', length] = block.split('/');
  if (address.includes(':') !== network.includes(':')) return false;
  const width = address.includes(':') ? 128 : 32;
  const bits = (text: string) => parseAddress(text).value.toString(2).padStart(width, '0');
  const compared = length === undefined ? width : Number(length);
  return bits(address).slice(0, compared) === bits(network).slice(0, compared);
}
