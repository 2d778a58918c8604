// Addresses and blocks compared bit by bit, as one would on paper, straight from their text.

/** `block` is a CIDR, or a bare address that means itself. */
export function isWithin(address: string, block: string): boolean {
  const [network = '', length] = block.split('/');
  if (address.includes(':') !== network.includes(':')) return false;
  const [mine, theirs] = [bitsOf(address), bitsOf(network)];
  const compared = length === undefined ? theirs.length : Number(length);
  return mine.slice(0, compared) === theirs.slice(0, compared);
}

/** Zeros and ones: 32 of them, or 128. */
function bitsOf(address: string): string {
  if (!address.includes(':'))
    return address
      .split('.')
      .map((octet) => binary(Number(octet), 8))
      .join('');
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => binary(Number.parseInt(group, 16), 16)).join('');
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}
