// Numbers of the netlink framing that its callers need. Source: linux/netlink.h.

/** Protocols, as socket(AF_NETLINK, SOCK_RAW, protocol) names them. */
export const netlinkRoute = 0;
export const netlinkNetfilter = 12;

/** Message flags. */
export const nlmRequest = 0x1;
export const nlmAck = 0x4;
export const nlmDumpInterrupted = 0x10;
export const nlmReplace = 0x100;
export const nlmExcl = 0x200;
export const nlmCreate = 0x400;
export const nlmAppend = 0x800;
export const nlmDump = 0x300;
/** On an error message: the original is cut after its header. */
export const nlmCapped = 0x100;
/** On an error message: extended-ack attributes follow. */
export const nlmAckTlvs = 0x200;

/** Message types below 16 belong to the framing itself. */
export const nlmsgError = 2;
export const nlmsgDone = 3;
