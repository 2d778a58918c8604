// ClusterInformation: what the cluster is, written by the programs themselves. There is one, named "default".
import type { Static } from 'typebox';
import { boolean, object, optional, string } from '../field.ts';
import { salvageSoundPart } from '../misfit.ts';
import type { Resource, Salvage } from '../resource.ts';
import { calicoKind, namedDefault } from './calico-kind.ts';

const spec = object({
  clusterGUID: optional(string({ description: 'A UUID without dashes, made at the first start.' })),
  clusterType: optional(
    string({ description: 'What the cluster is built from, as a comma-separated list.' }),
  ),
  calicoVersion: optional(string({ description: 'The newest version that has started here.' })),
  datastoreReady: optional(
    boolean({ description: 'False while the store is being moved: programs leave the data alone.' }),
  ),
  variant: optional(string({ description: 'Which edition of Calico wrote this.' })),
});

export interface ClusterInformation extends Resource {
  spec: Static<typeof spec>;
}

export const clusterInformations = calicoKind<ClusterInformation>({
  kind: 'ClusterInformation',
  plural: 'clusterinformations',
  description: 'What the cluster is and which version runs in it. Written by Calico itself.',
  shortNames: ['clusterinfo', 'clusterinfos'],
  columns: [
    { name: 'Version', jsonPath: '.spec.calicoVersion' },
    { name: 'Ready', type: 'boolean', jsonPath: '.spec.datastoreReady' },
    { name: 'Types', jsonPath: '.spec.clusterType' },
  ],
  rules: [namedDefault],
  salvage,
  spec,
});

/** Programs start with what is sound of it. */
function salvage(object: Resource): Salvage<ClusterInformation> {
  return salvageSoundPart(clusterInformations, object);
}
