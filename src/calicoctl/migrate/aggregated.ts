// Calico's own API server, where it is installed, serves projectcalico.org/v3 in front of the old objects: whoever reads the new group
// then reads the old one, and would find everything copied.
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import type { Resource, ResourceKind } from '../../resources/index.ts';
import { CommandError } from '../problem.ts';

interface APIService extends Resource {
  readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } | null };
}

const apiServices: ResourceKind<APIService> = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
};
const name = 'v3.projectcalico.org';

/** @throws CommandError when somebody else than the API server itself serves the new group */
export async function refuseAggregatedGroup(client: KubernetesClient): Promise<void> {
  const service = (await ifThere(client.get(apiServices, { name })))?.spec?.service;
  if (!service) return;
  throw new CommandError(
    `Cannot migrate: projectcalico.org/v3 is served by Calico's own API server, the Service "${service.namespace}/${service.name}", which hides the new objects behind the old ones; delete APIService "${name}" and the Deployment "calico-apiserver" first (policies stay in force)`,
  );
}
