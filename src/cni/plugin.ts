// What a plugin does for each command of the protocol. All throw CniError, or any other error for what nobody foresaw.
import type { AttachmentRequest, GarbageRequest, StatusRequest } from './request.ts';
import type { Attached } from './result.ts';

export interface Plugin {
  add(request: AttachmentRequest): Promise<Attached>;
  /** Succeeds when there is nothing to take down. */
  delete(request: AttachmentRequest): Promise<void>;
  /** Returns when all is as ADD left it. */
  check(request: AttachmentRequest): Promise<void>;
  /** Takes down what is of this network and this node and not on the request's list. */
  collectGarbage(request: GarbageRequest): Promise<void>;
  /** Returns when ADD would work. */
  status(request: StatusRequest): Promise<void>;
}
