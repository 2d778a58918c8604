// A network set for the cases of the dataplane's tests.
import type { GlobalNetworkSet } from '../../src/resources/index.ts';

export function networkSet(
  name: string,
  labels: Record<string, string>,
  nets: readonly string[] = [],
): GlobalNetworkSet {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkSet',
    metadata: { name, labels },
    spec: { nets: [...nets] },
  };
}
