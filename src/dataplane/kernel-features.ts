// What the dataplane needs of a kernel, asked of the kernel itself: each thing is made in a network namespace that nothing else is in,
// and that is gone afterwards. No list of modules tells as much: they may be built in, not yet loaded, or out of sight of a container.
import {
  addVeth,
  addVxlan,
  Conntrack,
  type Expression,
  inNewNamespace,
  KernelError,
  Nftables,
  Rtnetlink,
  registers,
  Transaction,
  TransactionError,
} from '../kernel/index.ts';

/** Something that kernels may be built without. */
export interface KernelFeature {
  /** As the kernel's module is called, where it is one. */
  readonly name: string;
  /** Of the kernel's configuration. */
  readonly option: string;
  /** @throws KernelError, TransactionError where the kernel does not have it */
  readonly make: (kernel: EmptyKernel) => void;
}

/** An empty namespace, to try things in. */
interface EmptyKernel {
  readonly nftables: Nftables;
  readonly rtnetlink: Rtnetlink;
  readonly conntrack: Conntrack;
}

const word = registers.wide(0);
const zero: Expression = { kind: 'immediate', to: word, value: new Uint8Array(16) };

function inTable(family: 'inet' | 'arp', ...expressions: readonly Expression[]): KernelFeature['make'] {
  return ({ nftables }) => {
    const transaction = new Transaction({ family, name: 'feature' });
    transaction.addTable();
    transaction.addChain({ name: 'rules' });
    if (expressions.length > 0) transaction.addRule({ chain: 'rules', expressions });
    nftables.commit(transaction);
  };
}

export const kernelFeatures: readonly KernelFeature[] = [
  { name: 'nf_tables', option: 'CONFIG_NF_TABLES_INET', make: inTable('inet') },
  { name: 'nf_tables for ARP', option: 'CONFIG_NF_TABLES_ARP', make: inTable('arp') },
  { name: 'nft_ct', option: 'CONFIG_NFT_CT', make: inTable('inet', { kind: 'ct', key: 'state', to: word }) },
  {
    name: 'marks of connections',
    option: 'CONFIG_NF_CONNTRACK_MARK',
    make: inTable('inet', zero, { kind: 'ct set', key: 'mark', from: word }),
  },
  {
    name: 'zones of connections',
    option: 'CONFIG_NF_CONNTRACK_ZONES',
    make: inTable('inet', zero, { kind: 'ct set', key: 'zone', from: word }),
  },
  {
    name: 'nft_chain_nat',
    option: 'CONFIG_NF_NAT',
    make: ({ nftables }) => {
      const transaction = new Transaction({ family: 'inet', name: 'feature' });
      transaction.addTable();
      transaction.addChain({
        name: 'translates',
        hook: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' },
      });
      nftables.commit(transaction);
    },
  },
  { name: 'nft_masq', option: 'CONFIG_NFT_MASQ', make: inTable('inet', { kind: 'masq' }) },
  {
    name: 'nft_nat',
    option: 'CONFIG_NFT_NAT',
    make: inTable('inet', zero, { kind: 'nat', side: 'destination', family: 4, address: word }),
  },
  {
    name: 'nft_reject_inet',
    option: 'CONFIG_NFT_REJECT_INET',
    make: inTable('inet', { kind: 'reject', by: 'port unreachable' }),
  },
  { name: 'nft_log', option: 'CONFIG_NFT_LOG', make: inTable('inet', { kind: 'log', prefix: 'feature' }) },
  {
    name: 'nft_limit',
    option: 'CONFIG_NFT_LIMIT',
    make: inTable('inet', { kind: 'limit', rate: 1n, seconds: 1n, burst: 1, unit: 'packets' }),
  },
  {
    name: 'nft_connlimit',
    option: 'CONFIG_NFT_CONNLIMIT',
    make: inTable('inet', { kind: 'connlimit', count: 1 }),
  },
  {
    name: 'nf_conntrack_netlink',
    option: 'CONFIG_NF_CT_NETLINK',
    make: ({ conntrack }) => void conntrack.entries(),
  },
  {
    name: 'veth',
    option: 'CONFIG_VETH',
    make: ({ rtnetlink }) => rtnetlink.apply(addVeth({ name: 'feature', peer: { name: 'peer' } })),
  },
  {
    name: 'vxlan',
    option: 'CONFIG_VXLAN',
    make: ({ rtnetlink }) =>
      rtnetlink.apply(addVxlan({ name: 'feature-vxlan', vni: 4096, port: 4789, learning: false })),
  },
];

/** Those of the features that the running kernel does not have. @throws KernelError when we may not ask: that takes root */
export function lackingFeatures(features: readonly KernelFeature[] = kernelFeatures): KernelFeature[] {
  return features.filter(({ make }) => {
    try {
      tryIn(make);
      return false;
    } catch (error) {
      if (!(error instanceof KernelError || error instanceof TransactionError) || error.code === 'EPERM')
        throw error;
      return true;
    }
  });
}

function tryIn(make: KernelFeature['make']): void {
  inNewNamespace(() => {
    using nftables = Nftables.open();
    using rtnetlink = Rtnetlink.open();
    using conntrack = Conntrack.open();
    make({ nftables, rtnetlink, conntrack });
  });
}
