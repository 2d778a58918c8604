// The label names by which one selector can speak of an endpoint, of its namespace and of its service account.
// Source: Calico's label conventions (shared facts: labels, annotations, prefixes).

export const namespaceLabel = 'projectcalico.org/namespace';
export const orchestratorLabel = 'projectcalico.org/orchestrator';
export const serviceAccountLabel = 'projectcalico.org/serviceaccount';

/** A namespace's label "team" is the endpoint's "pcns.team". */
export const namespaceLabelPrefix = 'pcns.';
/** With a prefix, the name of the namespace or service account itself. */
export const nameLabel = 'projectcalico.org/name';
/** A service account's label "role" is the endpoint's "pcsa.role". */
export const serviceAccountLabelPrefix = 'pcsa.';

const derived = new Set([namespaceLabel, orchestratorLabel, serviceAccountLabel]);

/**
 * What somebody wrote on an object, without the names under which the system itself tells of an endpoint's namespace,
 * service account and orchestrator: else a pod could pass for another namespace's by a label.
 */
export function writtenLabels(labels: Readonly<Record<string, string>> | undefined): Map<string, string> {
  return new Map(
    Object.entries(labels ?? {}).filter(
      ([name]) =>
        !derived.has(name) &&
        !name.startsWith(namespaceLabelPrefix) &&
        !name.startsWith(serviceAccountLabelPrefix),
    ),
  );
}
