// Every right of Calico's roles is taken away, one after the other, and the API server is asked whether the account is without it then. That
// no other rule gives it, and least-privilege.ts shows that each is used and none refused: so to take any away fails a test.
import assert from 'node:assert/strict';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';

interface Rule {
  readonly apiGroups: readonly [string];
  readonly resources: readonly [string];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly [string];
}

interface Role {
  readonly kind: 'ClusterRole' | 'Role';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly { readonly [key in keyof Rule]: readonly string[] }[];
}

/** How many rights the component has. Its roles are whole again at the end. */
export async function noRightIsHeldTwice(cluster: Cluster, component: string): Promise<number> {
  let count = 0;
  for (const role of await rolesOf(cluster, component)) {
    const single = role.rules.flatMap(singleRules);
    count += single.length;
    const allowed = await allows(cluster, component, role, single);
    assert.deepEqual(
      single.filter((_, index) => !allowed[index]),
      [],
      'the whole role gives every right',
    );
    try {
      for (const right of single) {
        await replace(cluster, { ...role, rules: single.filter((one) => one !== right) });
        const { verbs, apiGroups, resources } = right;
        await eventually(
          `${component} is without "${verbs} ${apiGroups}/${resources}" of its ${role.kind}`,
          async () => (await allows(cluster, component, role, [right])).includes(false),
          { deadlineMs: 20_000, everyMs: 50 },
        );
      }
    } finally {
      await replace(cluster, role);
    }
    await eventually(`${component} has its ${role.kind} again`, async () =>
      (await allows(cluster, component, role, single)).every(Boolean),
    );
  }
  return count;
}

/** The component's ClusterRole and Roles, as far as there are any. */
export async function rolesOf(cluster: Cluster, component: string): Promise<Role[]> {
  const all = await Promise.all(
    [
      ['clusterrole', `calico-system:${component}`],
      ['role', component, '--namespace=calico-system'],
      ['role', component, '--namespace=kube-system'],
    ].map((what) => cluster.kubectl(['get', ...what, '--ignore-not-found', '--output=json'])),
  );
  return all
    .filter((text) => text !== '')
    .map((text) => {
      const role: Role & { metadata: { resourceVersion?: string } } = JSON.parse(text);
      // Whoever replaces it means what is there.
      delete role.metadata.resourceVersion;
      return role;
    });
}

/** The same rights, one in a rule. */
function singleRules({ apiGroups, resources, verbs, resourceNames }: Role['rules'][number]): Rule[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.map((verb) => ({
        apiGroups: [group] as const,
        resources: [resource] as const,
        verbs: [verb] as const,
        ...(resourceNames && { resourceNames }),
      })),
    ),
  );
}

function replace(cluster: Cluster, role: Role): Promise<string> {
  return cluster.kubectl(['replace', '--filename=-'], JSON.stringify(role));
}

/** Whether the component's account has each right, where the role gives it. */
async function allows(
  cluster: Cluster,
  component: string,
  { metadata: { namespace } }: Role,
  rights: readonly Rule[],
): Promise<boolean[]> {
  const reviews = rights.map(
    ({ apiGroups: [group], resources: [resource], verbs: [verb], resourceNames }) => {
      const [name, subresource] = resource.split('/');
      return {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:calico-system:${component}`,
          groups: ['system:serviceaccounts', 'system:serviceaccounts:calico-system', 'system:authenticated'],
          resourceAttributes: {
            group,
            resource: name,
            subresource,
            verb,
            namespace,
            name: resourceNames?.[0],
          },
        },
      };
    },
  );
  const answers = await cluster.kubectl(
    ['create', '--filename=-', '--output=jsonpath={.status.allowed}{"\\n"}'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reviews }),
  );
  const allowed = answers.trim().split('\n');
  assert.equal(allowed.length, rights.length);
  return allowed.map((answer) => answer === 'true');
}
