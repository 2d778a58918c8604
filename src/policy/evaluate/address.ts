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

/** Whether the text is a block, or an address that means itself. */
export function isBlock(text: string): boolean {
  const [network = '', length, ...more] = text.split('/');
  const isLength = /^(0|[1-9]\d{0,2})$/.test(length ?? '0') && Number(length ?? 0) <= bitsIn(network);
  return more.length === 0 && isAddress(network) && isLength;
}

export function isAddress(text: string): boolean {
  if (!text.includes(':')) return isFourOctets(text);
  // The last two groups may be written as four octets.
  const [, front = text, octets] = /^(.*:)([^:]*\.[^:]*)$/.exec(text) ?? [];
  if (octets !== undefined && !isFourOctets(octets)) return false;
  const halves = (octets === undefined ? text : `${front}0:0`).split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const isCounted = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length < 8;
  return isCounted && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}

function isFourOctets(text: string): boolean {
  const octets = text.split('.');
  return (
    octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)
  );
}

function bitsIn(network: string): number {
  return network.includes(':') ? 128 : 32;
}
