// The pod's object in the cluster: reads the very pod that the runtime means, and tells in its annotations which addresses it has.
import type { Datastore } from '../datastore/index.ts';
import { podAnnotations } from '../policy/index.ts';
import { type Namespace, namespaces, type Pod, pods } from '../resources/index.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import type { PolicyAgent } from './policy-agent.ts';
import type { PodIdentity } from './request.ts';
import { wholeNets } from './result.ts';

export class PodObjects {
  readonly #datastore: Datastore;
  readonly #agent: PolicyAgent;

  constructor(datastore: Datastore, agent: PolicyAgent) {
    this.#datastore = datastore;
    this.#agent = agent;
  }

  /** One of the same name that came or went before is another pod. @throws CniError when there is no such pod */
  async find({ namespace, name, uid }: PodIdentity): Promise<Pod> {
    const known = uid === undefined ? undefined : this.#agent.localPod({ namespace, name }, uid);
    if (known) return known;
    const [pod] = await this.#datastore.list(pods, { namespace, ...named(name) });
    if (pod && (uid === undefined || pod.metadata.uid === uid)) return pod;
    throw new CniError(
      cniErrorCodes.failed,
      `There is no pod "${namespace}/${name}" with UID "${uid ?? ''}"`,
    );
  }

  async namespace(name: string): Promise<Namespace | undefined> {
    const known = this.#agent.namespace(name);
    if (known) return known;
    const [found] = await this.#datastore.list(namespaces, named(name));
    return found;
  }

  tellAddresses(
    pod: PodIdentity,
    uid: string | undefined,
    addresses: readonly string[],
    containerId: string,
  ): Promise<void> {
    const nets = wholeNets(addresses);
    return this.#annotate(pod, uid, {
      [podAnnotations.podIp]: nets[0] ?? '',
      [podAnnotations.podIps]: nets.join(','),
      [podAnnotations.containerId]: containerId,
    });
  }

  /** Its addresses may be others' before its object is gone: nobody shall believe that it still has them. */
  tellNoAddress(pod: PodIdentity, uid: string | undefined): Promise<void> {
    return this.#annotate(pod, uid, { [podAnnotations.podIp]: '', [podAnnotations.podIps]: '' });
  }

  /** With a UID, a successor of the same name is left alone. */
  async #annotate(
    { namespace, name }: PodIdentity,
    uid: string | undefined,
    annotations: Record<string, string>,
  ): Promise<void> {
    const metadata = { ...(uid && { uid }), annotations };
    // Whoever may patch a pod's status may change its annotations, but not what it runs.
    await this.#datastore.mergePatch(pods, { namespace, name }, { metadata }, { subresource: 'status' });
  }
}

/** What no watch has told of yet is listed by its name: whoever may follow a kind may do that, and need not be allowed more. */
function named(name: string): { readonly fieldSelector: string } {
  return { fieldSelector: `metadata.name=${name}` };
}
