// Labels as users write them: few names and values, so that selectors meet them; and now and then one by which somebody claims
// what only the system says of an endpoint.
import fc from 'fast-check';

export const namespaceNames = ['red', 'green', 'blue'];
export const accountNames = ['default', 'robot'];
export const keys = ['app', 'tier'];
export const values = ['a', 'b', 'c'];

/** Names under which the system tells of an endpoint's namespace and service account; selectors ask for them now and then. */
export const derivedKeys = ['pcns.app', 'pcsa.app', 'projectcalico.org/namespace'];

const claims = fc.dictionary(
  fc.constantFrom(
    'pcns.app',
    'pcns.projectcalico.org/name',
    'pcsa.app',
    'pcsa.projectcalico.org/name',
    'projectcalico.org/name',
    'projectcalico.org/orchestrator',
    'projectcalico.org/serviceaccount',
  ),
  fc.constantFrom(...values, ...namespaceNames, ...accountNames, 'k8s'),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);

export const labels = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    fc.oneof({ weight: 7, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: claims }),
  )
  .map(([own, claimed]) => ({ ...own, ...claimed }));

/** Besides, they claim a namespace, which the API keeps network sets from. */
export const endpointLabels = fc
  .tuple(
    labels,
    fc.oneof(
      { weight: 12, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          ...namespaceNames.map((name) => ({ 'projectcalico.org/namespace': name })),
        ),
      },
    ),
  )
  .map(([own, claimed]) => ({ ...own, ...claimed }));
