// Takes what was received from a netlink socket apart: messages, acknowledgements, and the reasons that the kernel gives.
import { KernelError } from '../ffi.ts';
import { Attributes } from './attributes.ts';
import { nlmAckTlvs, nlmCapped } from './constants.ts';

/** One message as it came. `payload` is everything behind struct nlmsghdr, a window on the buffer it was received in. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Why the kernel refused one message. */
export interface NetlinkFault {
  /** The sequence number of the message that was refused. */
  readonly sequence: number;
  readonly errno: number;
  /** The kernel's own words, where it has any. */
  readonly reason?: string;
  /** Where in the message the offending attribute begins, in bytes from the start of its header. */
  readonly attributeOffset?: number;
}

/** Calls `visit` for each message of a datagram, in order. @throws RangeError when a length does not fit. */
export function eachMessage(datagram: Buffer, visit: (message: NetlinkMessage) => void): void {
  for (let at = 0; at + 16 <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < 16 || at + length > datagram.length) {
      throw new RangeError(
        `A netlink message says it is ${length} bytes long where ${datagram.length - at} are left`,
      );
    }
    visit({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      payload: datagram.subarray(at + 16, at + length),
    });
    at += (length + 3) & ~3;
  }
}

/**
 * Reads NLMSG_ERROR. Returns undefined for an acknowledgement, which is an error message with errno 0.
 *
 *   0        4                      20
 *   | -errno | header of the request | (the request's body, unless NLM_F_CAPPED) | extended-ack attributes
 *
 * Attributes: NLMSGERR_ATTR_MSG 1 (string), NLMSGERR_ATTR_OFFS 2 (u32). Source: linux/netlink.h.
 */
export function readFault(message: NetlinkMessage): NetlinkFault | undefined {
  const errno = -message.payload.readInt32LE(0);
  if (errno === 0) return undefined;
  const bodyBytes = message.flags & nlmCapped ? 0 : message.payload.readUInt32LE(4) - 16;
  return fault(message, errno, 20 + ((bodyBytes + 3) & ~3));
}

/** Reads the status of NLMSG_DONE, which ends a dump: -errno, then extended-ack attributes. Undefined when all went well. */
export function readDumpFault(message: NetlinkMessage): NetlinkFault | undefined {
  const errno = message.payload.length >= 4 ? -message.payload.readInt32LE(0) : 0;
  return errno > 0 ? fault(message, errno, 4) : undefined;
}

/** The error to throw for a fault; `what` says what was attempted, on what. */
export function faultError(what: string, fault: NetlinkFault): KernelError {
  return new KernelError(what, fault.errno, fault.reason);
}

function fault(message: NetlinkMessage, errno: number, tlvStart: number): NetlinkFault {
  if (!(message.flags & nlmAckTlvs)) return { sequence: message.sequence, errno };
  const attributes = new Attributes(message.payload, tlvStart);
  const reason = attributes.string(1);
  const attributeOffset = attributes.u32(2);
  return {
    sequence: message.sequence,
    errno,
    ...(reason !== undefined && { reason }),
    ...(attributeOffset !== undefined && { attributeOffset }),
  };
}
