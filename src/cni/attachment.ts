// An attachment: one container's interface in one network. Written down with the link in the kernel, so that a link is known
// by its owner whatever has become of the agent that made it, and in IPAM as a handle.
import { invalid } from './errors.ts';

export interface Attachment {
  /** Name of the network. */
  readonly network: string;
  readonly containerId: string;
  /** Name of the interface in the pod. */
  readonly interfaceName: string;
}

/** An attachment that says besides which pod it is of. */
export interface OwnedLink extends Attachment {
  /** Undefined where it did not fit beside the rest. */
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
}

/** What the kernel keeps with a link at most. */
const longestNoteBytes = 255;

/**
 * "k8s-pod-network c0ffee eth0 shop/web-0"; `ip -d link` shows it. None of the parts has a space in it.
 * @throws CniError for names too long to be written down
 */
export function ownerNote({ network, containerId, interfaceName, pod }: OwnedLink): string {
  const note = `${network} ${containerId} ${interfaceName}`;
  const whole = pod ? `${note} ${pod.namespace}/${pod.name}` : note;
  if (Buffer.byteLength(note) > longestNoteBytes) {
    throw invalid(
      `The names of the network "${network}" and its container "${containerId}" are too long to be written down with the pod's link: ` +
        `with the interface's they are ${Buffer.byteLength(note)} bytes, and may be ${longestNoteBytes}`,
    );
  }
  return Buffer.byteLength(whole) <= longestNoteBytes ? whole : note;
}

/** Undefined for a note that is not ours. */
export function readOwnerNote(note: string): OwnedLink | undefined {
  const [network, containerId, interfaceName, podKey = '', ...rest] = note.split(' ');
  if (!network || !containerId || !interfaceName || rest.length > 0) return undefined;
  const [namespace, name] = podKey.split('/');
  return { network, containerId, interfaceName, pod: namespace && name ? { namespace, name } : undefined };
}

/** "k8s-pod-network.c0ffee", as Calico names the IPAM handles of pods. */
export function handleOf({ network, containerId }: Pick<Attachment, 'network' | 'containerId'>): string {
  return `${network}.${containerId}`;
}
