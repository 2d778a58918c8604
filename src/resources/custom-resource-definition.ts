// A kind's CustomResourceDefinition, derived from its schema. Says nothing of our own: no second truth about a kind.
// Source: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
import { calicoKinds } from './calico-kinds.ts';
import { clusterNetworkPolicies } from './kubernetes/cluster-network-policy.ts';
import type { Resource, ResourceKind } from './resource.ts';

/** A CustomResourceDefinition as it is applied; only what this project writes of it. */
export interface CustomResourceDefinition extends Resource {
  spec: {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: { kind: string; listKind: string; plural: string; singular: string; shortNames?: string[] };
    versions: Record<string, unknown>[];
  };
}

export const customResourceDefinitions: ResourceKind<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

/** What a cluster needs, ready to apply: Calico's kinds, and the policy kind that Kubernetes leaves to its networks. */
export function crds(): CustomResourceDefinition[] {
  return [...calicoKinds, clusterNetworkPolicies].map(toCrd);
}

/** @throws TypeError for a kind without a schema, which is one that Kubernetes itself serves. */
export function toCrd(kind: ResourceKind): CustomResourceDefinition {
  if (!kind.schema) throw new TypeError(`Cannot make a CRD of "${kind.kind}": it has no schema`);
  const { properties, required } = structural(kind.schema) as { properties: object; required?: string[] };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      ...(kind.approval && { annotations: { 'api-approved.kubernetes.io': kind.approval } }),
    },
    spec: {
      group: kind.group,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        ...(kind.shortNames && { shortNames: [...kind.shortNames] }),
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...(kind.hasStatus && { subresources: { status: {} } }),
          ...(kind.columns && {
            additionalPrinterColumns: kind.columns.map((column) => ({ type: 'string', ...column })),
          }),
          ...(kind.selectableFields && {
            selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })),
          }),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              ...(kind.description && { description: kind.description }),
              ...(required && { required }),
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                ...properties,
              },
              ...(kind.rules && { 'x-kubernetes-validations': structural(kind.rules) }),
            },
          },
        },
      ],
    },
  };
}

/** A copy with what a structural schema may hold: none of our own keywords, no empty `required`. */
function structural(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(structural);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (typeof value === 'function') continue;
    if (keyword === 'patternMessage') continue;
    if (keyword === 'required' && Array.isArray(value) && value.length === 0) continue;
    copy[keyword] = structural(value);
  }
  return copy;
}
