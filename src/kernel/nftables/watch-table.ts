// Tells when somebody else changes a table of ours. Our own transactions are kept out in the kernel already, so that
// loading a hundred thousand elements does not come back to us as as many events.
import {
  Attributes,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkNetfilter,
  subscribe,
} from '../netlink/index.ts';
import type { Watch } from '../poller.ts';
import { families, operations } from './constants.ts';
import type { Table } from './objects.ts';

/** NFNLGRP_NFTABLES */
const group = 7;
const nfgenmsgBytes = 4;

export interface TableWatchOptions extends NetlinkSocketOptions {
  readonly table: Table;
  /** Port of the socket whose changes are our own. */
  readonly ownPort: number;
}

/** Calls `touched` once per datagram in which another changes the table, and when events were lost, which says nothing. */
export function watchTable({ table, ownPort, ...options }: TableWatchOptions, touched: () => void): Watch {
  const socket = NetlinkSocket.open(netlinkNetfilter, options);
  try {
    socket.ignoreWhatIsCausedBy(ownPort);
    socket.join(group);
    return subscribe(socket, {
      // Every message about an object names its table in attribute 1; the one that ends a transaction names none.
      decode: ({ type, payload }) =>
        type !== operations.newGeneration &&
        payload[0] === families[table.family] &&
        new Attributes(payload, nfgenmsgBytes).string(1) === table.name
          ? true
          : undefined,
      events: touched,
      lost: touched,
    });
  } catch (error) {
    socket.close();
    throw error;
  }
}
