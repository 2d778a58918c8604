// The addresses at which pods of this node speak BGP with it (localWorkloadPeeringIPV4 and IPV6): on the loopback device, so
// that every pod finds them behind its default gateway. The same on every node, and told to nobody.
import { addAddress, deleteAddress, type Rtnetlink } from '../kernel/index.ts';

/** rtnetlink's RT_SCOPE_SITE: marks those that are ours, and keeps the kernel from choosing one as a source by itself. */
const ownScope = 200;

/** Adds what is missing, and takes away what an earlier call or an earlier process added. @throws KernelError */
export function keepPeeringAddresses(rtnetlink: Rtnetlink, wanted: readonly string[]): void {
  const link = rtnetlink.link('lo')?.index;
  if (link === undefined) throw new Error('There is no loopback device');
  const present = rtnetlink.addresses().filter((one) => one.link === link);
  for (const address of wanted) {
    if (present.some((one) => one.address === address)) continue;
    const prefixLength = address.includes(':') ? 128 : 32;
    rtnetlink.apply(addAddress({ link, address, prefixLength, scope: ownScope, noDad: true }));
  }
  for (const one of present) {
    // The kernel derives scopes of IPv6 from the address: there, ours are not to be told from others'.
    if (one.scope === ownScope && !one.address.includes(':') && !wanted.includes(one.address)) {
      rtnetlink.apply(deleteAddress(one));
    }
  }
}
