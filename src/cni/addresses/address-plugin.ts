// Where a pod's addresses come from: Calico's own IPAM, or a plugin that the network configuration names.
import type { Labels } from '../../selector/index.ts';
import type { PodWishes } from '../annotations.ts';
import type { AttachmentRequest, GarbageRequest, StatusRequest } from '../request.ts';

export interface AddressPlugin {
  /** All that is asked for, as canonical text; or none, and an error. */
  assign(request: AttachmentRequest, wishes: AddressWishes): Promise<string[]>;
  /** Succeeds when there is nothing to release. */
  release(request: AttachmentRequest): Promise<void>;
  /** Whether the container still holds what ADD answered. @throws CniError when it does not */
  check(request: AttachmentRequest): Promise<void>;
  /** Releases what is nobody's on the list and leaves no trace on the node that we could know it by. */
  collectGarbage(request: GarbageRequest): Promise<void>;
  /** @throws CniError when no addresses can be had now */
  status(request: StatusRequest): Promise<void>;
}

export interface AddressWishes extends Pick<PodWishes, 'count' | 'pools' | 'addresses'> {
  /** Labels of the pod's namespace; none for what has no namespace. */
  readonly namespaceLabels: Labels;
}
