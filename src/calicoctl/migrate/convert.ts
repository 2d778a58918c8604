// One stored object of crd.projectcalico.org/v1 as the user's object of projectcalico.org/v3. Pure.
import { affinityLabels, affinityName, handleName } from '../../ipam/index.ts';
import { parseCidr } from '../../net/index.ts';
import {
  apiVersionOf,
  blockName,
  type ObjectMeta,
  type Resource,
  type ResourceKind,
  tieredKinds,
} from '../../resources/index.ts';
import type { LegacyKind, LegacyObject } from './legacy-kinds.ts';

/** Holds, as JSON, what the user said in metadata; without labels and annotations in versions that keep those in their places. */
const metadataAnnotation = 'projectcalico.org/metadata';

/** What is said of the stored object, and not of the user's. */
const notCopied = new Set([metadataAnnotation, 'kubectl.kubernetes.io/last-applied-configuration']);

/** @throws Error that says what of the object cannot be read */
export function fromLegacy({ to }: LegacyKind, stored: LegacyObject): Resource {
  const said = saidMetadata(stored);
  const spec = { ...stored.spec };
  if (tieredKinds.has(to.kind)) spec.tier ??= 'default';
  // Once text, now a word of its own.
  if (typeof spec.deleted === 'string') spec.deleted = spec.deleted === 'true';
  if (to.kind === 'IPAMBlock') spec.sequenceNumber ??= 0;
  if (to.kind === 'BlockAffinity') return affinity(to, spec);
  const { namespace } = stored.metadata;
  const labels = said.labels ?? stored.metadata.labels ?? {};
  const kept = Object.entries(stored.metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name));
  const annotations = { ...Object.fromEntries(kept), ...said.annotations };
  return {
    apiVersion: apiVersionOf(to),
    kind: to.kind,
    metadata: {
      name: nameOf(to, stored, said, spec),
      ...(namespace !== undefined && { namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec,
  } as Resource;
}

function saidMetadata({ metadata, kind }: LegacyObject): Partial<ObjectMeta> {
  const text = metadata.annotations?.[metadataAnnotation];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Partial<ObjectMeta>;
  } catch (cause) {
    throw new Error(
      `Cannot read ${kind} "${metadata.name}": its annotation ${metadataAnnotation} is not JSON`,
      {
        cause,
      },
    );
  }
}

/** Claims are found by their names and labels, which older versions spelled otherwise or left out. */
function affinity(to: ResourceKind, spec: Record<string, unknown>): Resource {
  const owner = { type: spec.type === 'virtual' ? 'virtual' : 'host', name: String(spec.node) } as const;
  const cidr = parseCidr(String(spec.cidr));
  return {
    apiVersion: apiVersionOf(to),
    kind: to.kind,
    metadata: { name: affinityName(owner.name, cidr), labels: affinityLabels(owner, cidr) },
    spec: { ...spec, type: owner.type },
  } as Resource;
}

function nameOf(
  { kind }: ResourceKind,
  stored: LegacyObject,
  said: Partial<ObjectMeta>,
  { tier, handleID, cidr }: Record<string, unknown>,
): string {
  // Their stored names begin with that of their tier, in versions that did so.
  if (tieredKinds.has(kind)) return policyName(stored, said, String(tier));
  // Ids with capitals lose them in the stored name, and two that differ in nothing else would share one.
  if (kind === 'IPAMHandle' && typeof handleID === 'string') return handleName(handleID);
  // Agents leave out a block whose name is another's.
  if (kind === 'IPAMBlock') return blockName(parseCidr(String(cidr)));
  return stored.metadata.name;
}

/** Stored under "default.web" it may be the user's "web": the annotation says, or else the prefix goes. */
function policyName({ metadata }: LegacyObject, said: Partial<ObjectMeta>, tier: string): string {
  if (said.name) return said.name;
  const prefix = 'default.';
  return tier === 'default' && metadata.name.startsWith(prefix)
    ? metadata.name.slice(prefix.length)
    : metadata.name;
}
