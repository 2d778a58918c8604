// Where a pod's addresses come from: Calico's own IPAM, or a plugin that the network configuration names.
import type { Labels } from '../../selector/index.ts';
import type { PodWishes } from '../annotations.ts';
import type { AttachmentRequest } from '../request.ts';

export interface AddressPlugin {
  /** All that is asked for, as canonical text; or none, and an error. */
  assign(request: AttachmentRequest, wishes: AddressWishes): Promise<string[]>;
  /** Succeeds when there is nothing to release. */
  release(request: AttachmentRequest): Promise<void>;
}

export interface AddressWishes extends Pick<PodWishes, 'count' | 'pools' | 'addresses'> {
  /** Labels of the pod's namespace; none for what has no namespace. */
  readonly namespaceLabels: Labels;
}
