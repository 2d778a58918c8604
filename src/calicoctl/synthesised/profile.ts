// Profiles, as upstream shows them: nobody stores them; each namespace and each service account stands for one.
import type { Resource } from '../../resources/index.ts';

export interface Profile extends Resource {
  spec: {
    ingress?: object[];
    egress?: object[];
    labelsToApply?: Record<string, string>;
  };
}

/** "kns.NAMESPACE": allows all, and lends the namespace's labels to its endpoints under the prefix "pcns.". */
export function profileOfNamespace({ metadata }: Resource): Profile {
  return profile(`kns.${metadata.name}`, metadata, {
    ingress: [allowAll()],
    egress: [allowAll()],
    labelsToApply: labelsToApply('pcns.', metadata),
  });
}

/** "ksa.NAMESPACE.NAME": no rules, only labels under the prefix "pcsa.". */
export function profileOfServiceAccount({ metadata }: Resource): Profile {
  const { namespace = 'default', name } = metadata;
  return profile(`ksa.${namespace}.${name}`, metadata, { labelsToApply: labelsToApply('pcsa.', metadata) });
}

/** The profile that every cluster has. */
export const defaultAllow: Profile = profile('projectcalico-default-allow', undefined, {
  ingress: [allowAll()],
  egress: [allowAll()],
});

function profile(name: string, origin: Resource['metadata'] | undefined, spec: Profile['spec']): Profile {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Profile',
    metadata: {
      name,
      ...(origin?.uid && { uid: origin.uid }),
      ...(origin?.resourceVersion && { resourceVersion: origin.resourceVersion }),
      ...(origin?.creationTimestamp && { creationTimestamp: origin.creationTimestamp }),
    },
    spec,
  };
}

function allowAll(): object {
  return { action: 'Allow', source: {}, destination: {} };
}

function labelsToApply(prefix: string, { labels, name }: Resource['metadata']): Record<string, string> {
  const own = Object.entries(labels ?? {}).map(([key, value]) => [prefix + key, value]);
  return { ...Object.fromEntries(own), [`${prefix}projectcalico.org/name`]: name };
}
