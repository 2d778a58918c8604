// Takes a container's attachment off the node, whatever of it there is: after a DEL, and after an ADD that failed.
import { interfaceNameOf } from '../calc/index.ts';
import type { PodLinks } from '../dataplane/index.ts';
import { podAnnotations } from '../policy/index.ts';
import type { AddressPlugin } from './addresses/address-plugin.ts';
import { type OwnedLink, readOwnerNote } from './attachment.ts';
import type { PolicyAgent } from './policy-agent.ts';
import type { AttachmentRequest } from './request.ts';

export interface TakeDownOptions {
  readonly agent: PolicyAgent;
  readonly links: PodLinks;
  readonly addresses: AddressPlugin;
  /** Takes the addresses off the pod's object; does not reject. */
  readonly untell: () => Promise<void>;
}

/**
 * Traffic first, then the link, then what the pod's object says, then the address: it must not be given away while anything
 * still answers to it, or any node still takes it for the pod's.
 */
export async function takeDown(request: AttachmentRequest, options: TakeDownOptions): Promise<void> {
  const { agent, links, addresses, untell } = options;
  const { containerId, pod, configuration } = request;
  const other = otherAttachment(request, links);
  if (other) {
    // Nothing of it is there but, in a network of its own, addresses.
    if (other.network !== configuration.name) await addresses.release(request);
    return;
  }
  if (pod) await agent.detach({ namespace: pod.namespace, pod: pod.name }, containerId);
  for (const name of linksOf(request, options)) await links.detach(name);
  await untell();
  await addresses.release(request);
}

/**
 * The attachment that a container's link is for, where that is another one than the request's: a pod has one link, and whatever is
 * asked of a second one must not touch it. Undefined where there is no link, or it is the request's.
 */
export function otherAttachment(
  { containerId, pod, interfaceName, configuration }: AttachmentRequest,
  links: PodLinks,
): OwnedLink | undefined {
  // Whoever collects garbage by addresses does not know of interfaces.
  if (interfaceName === '') return undefined;
  const notes = pod ? [links.owner(interfaceNameOf(pod.namespace, pod.name)) ?? ''] : links.owners().values();
  const held = [...notes].flatMap((note) => readOwnerNote(note) ?? []);
  const ofContainer = held.filter((owner) => owner.containerId === containerId);
  const isAsked = (owner: OwnedLink) =>
    owner.network === configuration.name && owner.interfaceName === interfaceName;
  return ofContainer.some(isAsked) ? undefined : ofContainer[0];
}

/** A link's name is its pod's, not its container's: a late DEL must not take the next container's link. */
function linksOf(
  { pod, containerId, configuration }: AttachmentRequest,
  { links, agent }: TakeDownOptions,
): string[] {
  const isOurs = (note: string) => {
    const owner = readOwnerNote(note);
    return owner?.network === configuration.name && owner.containerId === containerId;
  };
  if (!pod) return [...links.owners()].flatMap(([name, note]) => (isOurs(note) ? [name] : []));
  const name = interfaceNameOf(pod.namespace, pod.name);
  const note = links.owner(name);
  if (note !== undefined) return isOurs(note) ? [name] : [];
  // Made before links had notes, or by an agent that died while it made it.
  const recorded = agent.localPod(pod, undefined)?.metadata.annotations?.[podAnnotations.containerId];
  return recorded === undefined || recorded === containerId ? [name] : [];
}
