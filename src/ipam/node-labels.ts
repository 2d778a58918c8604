// What pools select a node by, as far as anybody can tell.
import type { Datastore } from '../datastore/index.ts';
import { labelsOf, nodes, type Resource } from '../resources/index.ts';
import type { Labels } from '../selector/index.ts';

/** Unreadable where the node is there and its labels are not what labels are. */
export type NodeLabels = Labels | 'unreadable';

/** Of a node as it is stored. */
export function nodeLabelsOf(node: Resource): NodeLabels {
  const labels = labelsOf(node);
  return labels === undefined ? 'unreadable' : new Map(Object.entries(labels));
}

/** None when there is no such node. */
export async function readNodeLabels(datastore: Datastore, name: string): Promise<NodeLabels> {
  const misfits: Resource[] = [];
  const options = { fieldSelector: `metadata.name=${name}` };
  const sound = await datastore.list(nodes, options, (object) => misfits.push(object));
  // What is left of a misfit may lack a label.
  const stored = [...misfits, ...sound].find(({ metadata }) => metadata.name === name);
  return stored ? nodeLabelsOf(stored) : new Map();
}
