// Reads test/data/objects.yaml: of every kind, objects that are taken and objects that are refused.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  apiVersionOf,
  calicoKinds,
  clusterNetworkPolicies,
  type Resource,
} from '../../src/resources/index.ts';

interface Written {
  readonly metadata?: object;
  readonly spec: object;
}

interface Refused extends Written {
  readonly says: string | string[];
  readonly server?: 'takes';
}

const file = join(import.meta.dirname, '../data/objects.yaml');
const cases = parse(readFileSync(file, 'utf8')) as Record<string, { taken: Written[]; refused: Refused[] }>;

/** Per kind the objects that everybody takes, and those that are refused; `server` tells whether the API server does. */
export const objectCases = [...calicoKinds, clusterNetworkPolicies].map((kind) => {
  const { taken = [], refused = [] } = cases[kind.kind] ?? {};
  const complete = ({ metadata, spec }: Written) =>
    ({
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { name: 'x', ...metadata },
      spec,
    }) as Resource;
  return {
    kind,
    taken: taken.map(complete),
    refused: refused.map((written) => ({
      object: complete(written),
      says: [written.says].flat(),
      byServer: written.server !== 'takes',
    })),
  };
});
