// Namespace: its labels are what policies select by.
import type { Resource, ResourceKind } from '../resource.ts';

export interface Namespace extends Resource {
  status?: { phase?: 'Active' | 'Terminating' };
}

export const namespaces: ResourceKind<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  hasStatus: true,
};
