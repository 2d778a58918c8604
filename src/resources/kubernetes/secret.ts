// Secret: values that only some may read. Values are base64, as they stand on the wire.
import type { Resource, ResourceKind } from '../resource.ts';

export interface Secret extends Resource {
  type?: string;
  data?: Record<string, string>;
}

export const secrets: ResourceKind<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
};
