// Everything that is generated from the kinds: definitions to install, pages to read, schemas for editors. Writes no files.
import { stringify } from 'yaml';
import { calicoKinds } from '../calico-kinds.ts';
import { crds } from '../custom-resource-definition.ts';
import { clusterNetworkPolicies } from '../kubernetes/cluster-network-policy.ts';
import { editorSchema } from './editor-schema.ts';
import { referenceIndex, referencePage } from './reference-page.ts';

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Folders that hold generated files and nothing else. */
export const generatedFolders = ['manifests/crds', 'docs/reference', 'docs/schemas'] as const;

/** The same text every time, for the same kinds. */
export function generatedFiles(): GeneratedFile[] {
  const [manifests, pages, schemas] = generatedFolders;
  const kinds = [...calicoKinds, clusterNetworkPolicies];
  return [
    ...crds().map((crd) => ({
      path: `${manifests}/${crd.spec.names.plural}.yaml`,
      text: stringify(crd, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 110 }),
    })),
    { path: `${pages}/README.md`, text: referenceIndex(kinds) },
    ...kinds.flatMap((kind) => [
      { path: `${pages}/${kind.kind.toLowerCase()}.md`, text: referencePage(kind) },
      {
        path: `${schemas}/${kind.kind.toLowerCase()}.json`,
        text: `${JSON.stringify(editorSchema(kind), undefined, 2)}\n`,
      },
    ]),
  ];
}
