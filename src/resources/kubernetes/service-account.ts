// ServiceAccount: its labels are what policies select by.
import type { Resource, ResourceKind } from '../resource.ts';

export type ServiceAccount = Resource;

export const serviceAccounts: ResourceKind<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};
