// Netlink framing: what every family of messages is written with, sent through and read with.
export { Attributes } from './attributes.ts';
export * from './constants.ts';
export { MessageWriter } from './message-writer.ts';
export { eachMessage, faultError, type NetlinkFault, type NetlinkMessage } from './messages.ts';
export { type NetlinkOutcome, NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.ts';
export { subscribe } from './subscription.ts';
