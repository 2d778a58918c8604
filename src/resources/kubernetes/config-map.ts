// ConfigMap: texts by name, for whoever knows what they mean.
import type { Resource, ResourceKind } from '../resource.ts';

export interface ConfigMap extends Resource {
  data?: Record<string, string>;
}

export const configMaps: ResourceKind<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
