// CHECK: compares what the kernel and IPAM hold of a pod with what ADD answered. Looks only; mends nothing.
import type { PodLinks } from '../dataplane/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { handleOf, ownerNote } from './attachment.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import type { AttachmentRequest } from './request.ts';
import { addressesOf, mtuOf } from './result.ts';

export interface CheckOptions {
  readonly request: AttachmentRequest;
  /** Host's end of the pod's link. */
  readonly interfaceName: string;
  readonly links: PodLinks;
  readonly ipam: IpamClient;
  readonly isGuarded: (interfaceName: string) => boolean;
}

/** @throws CniError that lists what is not as it should be; with code 3 when nothing at all is there */
export async function checkAttachment(options: CheckOptions): Promise<void> {
  const { request, interfaceName, links, ipam, isGuarded } = options;
  const { configuration, containerId, pod } = request;
  const network = configuration.name;
  if (links.owner(interfaceName) === undefined) {
    const { addresses, unreadable } = await ipam.holdingsOf(handleOf({ network, containerId }));
    if (addresses.length === 0 && unreadable.length === 0) {
      throw new CniError(
        cniErrorCodes.unknownContainer,
        `Container "${containerId}" has no link and no address`,
      );
    }
  }
  const faults = [
    ...linkFaults(options),
    ...(isGuarded(interfaceName) ? [] : [`The kernel holds no policy for "${interfaceName}"`]),
  ];
  if (faults.length > 0) {
    const name = pod ? `pod "${pod.namespace}/${pod.name}"` : `container "${containerId}"`;
    throw new CniError(cniErrorCodes.failed, `The network of ${name} is not whole: ${faults.join('; ')}`);
  }
}

function linkFaults({ request, interfaceName, links }: CheckOptions): string[] {
  const { configuration, containerId, pod, interfaceName: podInterfaceName, namespacePath } = request;
  const { previousResult = {} } = configuration;
  const addresses = addressesOf(previousResult, podInterfaceName);
  if (addresses.length === 0) return [`"prevResult" has no address of "${podInterfaceName}" to look for`];
  try {
    return links.faults({
      interfaceName,
      podInterfaceName,
      podNamespacePath: namespacePath,
      addresses,
      owner: ownerNote({ network: configuration.name, containerId, interfaceName: podInterfaceName, pod }),
      defaultRoutes: configuration.defaultRoutes,
      // As ADD made it: the agent may have another one for pods by now.
      mtu: {
        host: mtuOf(previousResult, interfaceName, 'host'),
        pod: mtuOf(previousResult, podInterfaceName, 'pod'),
      },
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return [`The namespace "${namespacePath}" does not exist`];
  }
}
