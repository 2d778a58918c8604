// What Calico's service accounts asked the API server for while all the other scenarios ran, beside what their roles allow: a
// right that is missing would have been refused, and one that nobody ever used has no business in the role.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../cluster.ts';
import { manifest } from '../install.ts';
import { noRightIsHeldTwice, rolesOf } from './rights-one-by-one.ts';

export interface AuditEvent {
  readonly user: {
    readonly username: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
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

const components = ['calico-node', 'calico-kube-controllers'];

/** Comes last: judges what the cluster has done until now. */
export async function leastPrivilege(t: TestContext, cluster: Cluster): Promise<void> {
  await nothingWasRefused(t, cluster);
  for (const component of components) {
    await t.test(`${component} has no right that it does not use`, async () => {
      const used = new Set(requestsOf(component, cluster).map(rightOf));
      const rights = await rightsOf(cluster, component);
      assert.deepEqual(
        rights.filter((right) => !used.has(right)),
        [],
      );
    });
  }
  for (const component of components) {
    await t.test(`${component} has no right twice: it is without any that is taken away`, async (t) => {
      t.diagnostic(`${await noRightIsHeldTwice(cluster, component)} rights`);
    });
  }
  await t.test('the account of the CNI kubeconfig asked for nothing but who it is', () => {
    const asked = new Set(requestsOf('calico-cni-plugin', cluster).map(rightOf));
    assert.deepEqual([...asked], ['create authentication.k8s.io/selfsubjectreviews']);
  });
}

/** Of an installation that is not the ordinary one: each right is used, by it or, where the ordinary one has it too, there. */
export async function variantIsLeast(
  t: TestContext,
  cluster: Cluster,
  { since, isStandalone }: { readonly since: number; readonly isStandalone: boolean },
): Promise<void> {
  await nothingWasRefused(t, cluster, since);
  await t.test('calico-node has no right that it does not use', async () => {
    const used = new Set(requestsOf('calico-node', cluster, since).map(rightOf));
    const ordinary = isStandalone ? new Set() : new Set(rightsInManifest('calico.yaml', 'calico-node'));
    const rights = await rightsOf(cluster, 'calico-node');
    assert.deepEqual(
      rights.filter((right) => !used.has(right) && !ordinary.has(right)),
      [],
    );
  });
}

/** Of a component whose whole work is done by now. */
export async function accountIsLeast(cluster: Cluster, component: string): Promise<void> {
  const requests = requestsOf(component, cluster);
  const rights = await rightsOf(cluster, component);
  assert.deepEqual([...new Set(requests.map(rightOf))].toSorted(), rights.toSorted());
  assert.ok(requests.every(({ responseStatus }) => responseStatus?.code !== 403));
}

async function nothingWasRefused(t: TestContext, cluster: Cluster, since = 0): Promise<void> {
  for (const component of components) {
    await t.test(`${component} was refused nothing`, () => {
      const requests = requestsOf(component, cluster, since);
      assert.ok(requests.length > 0);
      const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
      assert.deepEqual([...new Set(refused.map(rightOf))], []);
    });
  }
}

/** How many requests the API server has noted until now, of anybody. */
export function requestCount({ api }: Cluster): number {
  return linesOf(api.auditLog).length;
}

function linesOf(auditLog: string): string[] {
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** What the component has asked of the API server since so many requests. */
export function requestsOf(component: string, { api }: Cluster, since = 0): AuditEvent[] {
  return linesOf(api.auditLog)
    .slice(since)
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
  return rightsIn((await rolesOf(cluster, component)).flatMap(({ rules }) => rules));
}

/** The same of a manifest of the repository. */
function rightsInManifest(name: string, component: string): string[] {
  const objects: { kind?: string; metadata?: { name?: string }; rules?: RoleRule[] }[] = parseAllDocuments(
    readFileSync(manifest(name), 'utf8'),
  ).map((document) => document.toJS() ?? {});
  const roles = objects.filter(
    ({ kind, metadata }) =>
      (kind === 'ClusterRole' && metadata?.name === `calico-system:${component}`) ||
      (kind === 'Role' && metadata?.name === component),
  );
  return rightsIn(roles.flatMap(({ rules = [] }) => rules));
}

function rightsIn(rules: readonly RoleRule[]): string[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
    ),
  );
}
