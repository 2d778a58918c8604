// Ethernet addresses: six bytes, to and from "ee:ee:ee:ee:ee:ee".

/** @throws RangeError when the text is not six octets in hexadecimal, joined by colons */
export function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new RangeError(`"${text}" is not a MAC address`);
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** Lower case; undefined for link addresses that are not Ethernet's, such as those of tunnels. */
export function macText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes?.length !== 6) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
