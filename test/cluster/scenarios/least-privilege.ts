// What Calico's service accounts asked the API server for while all the other scenarios ran, beside what their roles allow: a
// right that is missing would have been refused, and one that nobody ever used has no business in the role.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';

interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

interface RoleRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

const ipam = 'projectcalico.org';
/** Rights whose hour may come in none of the scenarios. */
const seldom: Readonly<Record<string, readonly string[]>> = {
  'calico-node': [
    // A pod is there before the watch has told of its namespace.
    'get /namespaces',
    // A pod has a second address.
    `update ${ipam}/ipamhandles`,
    // Two nodes reached for one block, and this one was second; a block of which nothing is needed goes.
    `delete ${ipam}/blockaffinities`,
    `delete ${ipam}/ipamblocks`,
  ],
  // A load balancer or a pod with several addresses loses some of them.
  'calico-kube-controllers': [`update ${ipam}/ipamhandles`],
};

const components = ['calico-node', 'calico-kube-controllers'];

/** Comes last: judges what the cluster has done until now. */
export async function leastPrivilege(t: TestContext, cluster: Cluster): Promise<void> {
  await nothingWasRefused(t, cluster);
  for (const component of components) {
    await t.test(`${component} has no right that it does not use`, async () => {
      const used = new Set(requestsOf(component, cluster).map(rightOf));
      const rights = await rightsOf(cluster, component);
      assert.deepEqual(
        rights.filter((right) => !used.has(right) && !seldom[component]?.includes(right)),
        [],
      );
    });
  }
  await t.test('the account of the CNI kubeconfig asked for nothing', () => {
    assert.deepEqual(requestsOf('calico-cni-plugin', cluster), []);
  });
}

export async function nothingWasRefused(t: TestContext, cluster: Cluster): Promise<void> {
  for (const component of components) {
    await t.test(`${component} was refused nothing`, () => {
      const requests = requestsOf(component, cluster);
      assert.ok(requests.length > 0);
      const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
      assert.deepEqual([...new Set(refused.map(rightOf))], []);
    });
  }
}

/** What the component has asked of the API server until now. */
function requestsOf(component: string, { api }: Cluster): AuditEvent[] {
  return readFileSync(api.auditLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): AuditEvent => JSON.parse(line))
    .filter(({ user }) => user.username === `system:serviceaccount:calico-system:${component}`);
}

/** "update projectcalico.org/ipamblocks", "create /serviceaccounts/token" */
function rightOf({ verb, objectRef = {} }: AuditEvent): string {
  const { apiGroup = '', resource, subresource } = objectRef;
  return `${verb} ${apiGroup}/${[resource, subresource].filter(Boolean).join('/')}`;
}

/** What the component's ClusterRole and Roles allow, in the same words. */
async function rightsOf(cluster: Cluster, component: string): Promise<string[]> {
  const roles = await Promise.all(
    [
      ['clusterrole', component],
      ['role', component, '--namespace=calico-system'],
      ['role', component, '--namespace=kube-system'],
    ].map(async (what) => {
      const text = await cluster.kubectl(['get', ...what, '--ignore-not-found', '--output=json']);
      return text === '' ? [] : JSON.parse(text).rules;
    }),
  );
  const rules = roles.flat() as RoleRule[];
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
    ),
  );
}
