// How kubectl finds out who owns which field, and what it makes of that; over any server with Calico's definitions. Run against the
// embedded server by kubectl.test.ts and against the real kube-apiserver by test/cluster.
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** Runs kubectl with a text on its standard input; resolves with what it printed, rejects with what it complained of. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1: { readonly [element: string]: unknown };
}

let serial = 0;

export function runFieldManagerCases(name: string, kubectl: Kubectl): void {
  const it = (behaviour: string, body: () => Promise<void>) => test(`${name}: ${behaviour}`, body);
  const policy = (policyName: string, spec: object) =>
    JSON.stringify({
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: policyName },
      spec: { selector: 'all()', ...spec },
    });
  const managersOf = async (policyName: string): Promise<readonly Entry[]> => {
    const shown = await kubectl(['get', 'gnp', policyName, '--output=json', '--show-managed-fields']);
    return JSON.parse(shown).metadata.managedFields ?? [];
  };
  const named = (entries: readonly Entry[]) =>
    entries.map(({ manager, operation }) => `${manager} ${operation}`).sort();

  it('what was applied by the client is applied by the server without a conflict', async () => {
    const object = `fields-${++serial}`;
    await kubectl(['apply', '--filename=-'], policy(object, { order: 10 }));
    assert.deepEqual(named(await managersOf(object)), ['kubectl-client-side-apply Update']);
    const changed = policy(object, { order: 20 });
    const said = await kubectl(['apply', '--server-side', '--filename=-'], changed);
    assert.match(said, /serverside-applied/);
    assert.ok(!named(await managersOf(object)).includes('kubectl-client-side-apply Update'));
    await kubectl(['apply', '--server-side', '--filename=-'], policy(object, {}));
    assert.equal(await kubectl(['get', 'gnp', object, '--output=jsonpath={.spec.order}']), '');
  });

  it('a conflict names the manager that the field belongs to', async () => {
    const object = `fields-${++serial}`;
    await kubectl(['apply', '--filename=-'], policy(object, { order: 10 }));
    await kubectl(['apply', '--server-side', '--filename=-'], policy(object, { order: 20 }));
    const asOther = ['apply', '--server-side', '--field-manager=other', '--filename=-'];
    await assert.rejects(
      kubectl(asOther, policy(object, { order: 30 })),
      /Apply failed with 1 conflict: conflict with "kubectl".*: \.spec\.order/,
    );
    await kubectl(['patch', 'gnp', object, '--type=merge', '--patch={"spec":{"order":40}}']);
    await assert.rejects(
      kubectl(asOther, policy(object, { order: 30 })),
      /conflict with "kubectl-patch" using projectcalico\.org\/v3: \.spec\.order/,
    );
  });

  it('who creates an object owns its fields, and who changes one takes it over', async () => {
    const object = `fields-${++serial}`;
    await kubectl(['create', '--filename=-'], policy(object, { order: 10, types: ['Ingress'] }));
    const [creator, ...none] = await managersOf(object);
    assert.deepEqual(none, []);
    assert.equal(creator?.manager, 'kubectl-create');
    assert.deepEqual(creator?.fieldsV1, {
      'f:spec': {
        '.': {},
        'f:order': {},
        'f:selector': {},
        'f:tier': {},
        'f:types': { '.': {}, 'v:"Ingress"': {} },
      },
    });
    await kubectl(['patch', 'gnp', object, '--type=merge', '--patch={"spec":{"order":40,"types":null}}']);
    const fields = new Map((await managersOf(object)).map((one) => [one.manager, one.fieldsV1]));
    assert.deepEqual(fields.get('kubectl-create'), { 'f:spec': { '.': {}, 'f:selector': {}, 'f:tier': {} } });
    assert.deepEqual(fields.get('kubectl-patch'), { 'f:spec': { 'f:order': {} } });
  });

  it('a label belongs to who set it, and his entry goes with it', async () => {
    const object = `fields-${++serial}`;
    await kubectl(['create', '--filename=-'], policy(object, {}));
    await kubectl(['label', 'gnp', object, 'a=b']);
    const labels = { 'f:labels': { '.': {}, 'f:a': {} } };
    const labelled = (await managersOf(object)).find(({ manager }) => manager === 'kubectl-label');
    assert.deepEqual(labelled?.fieldsV1, { 'f:metadata': labels });
    const removal = '--patch={"metadata":{"labels":null}}';
    await kubectl(['patch', 'gnp', object, '--type=merge', removal]);
    assert.deepEqual(named(await managersOf(object)), ['kubectl-create Update']);
  });

  it('an empty entry clears the managers, and nothing but an apply names any again', async () => {
    const object = `fields-${++serial}`;
    await kubectl(['create', '--filename=-'], policy(object, { order: 10 }));
    await kubectl(['patch', 'gnp', object, '--type=merge', '--patch={"metadata":{"managedFields":[{}]}}']);
    assert.deepEqual(await managersOf(object), []);
    await kubectl(['patch', 'gnp', object, '--type=merge', '--patch={"spec":{"order":40}}']);
    assert.deepEqual(await managersOf(object), []);
    await assert.rejects(
      kubectl(
        ['apply', '--server-side', '--field-manager=other', '--filename=-'],
        policy(object, { order: 30 }),
      ),
      /conflict with "before-first-apply" using projectcalico\.org\/v3: \.spec\.order/,
    );
  });

  it('what the server fills in for a namespace belongs to who creates it', async () => {
    const namespace = `fields-${++serial}`;
    await kubectl(['create', 'namespace', namespace]);
    const shown = await kubectl(['get', 'ns', namespace, '--output=json', '--show-managed-fields']);
    const [entry]: readonly Entry[] = JSON.parse(shown).metadata.managedFields;
    const labels = { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } };
    assert.deepEqual(entry?.fieldsV1, { 'f:metadata': labels });
  });

  it('what is written through /status says so', async () => {
    const node = `fields-${++serial}`;
    await kubectl(
      ['create', '--filename=-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: { a: 'b' } } }),
    );
    const status = '--patch={"status":{"conditions":[{"type":"Ready","status":"True"}]}}';
    await kubectl(['patch', 'node', node, '--subresource=status', '--type=merge', status]);
    const shown = await kubectl(['get', 'node', node, '--output=json', '--show-managed-fields']);
    const entries: readonly Entry[] = JSON.parse(shown).metadata.managedFields;
    assert.deepEqual(
      entries.filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager),
      ['kubectl-patch'],
    );
  });

  it('what a custom kind has no part of is not found by the name of the object', async () => {
    await assert.rejects(
      kubectl(['get', 'gnp', 'none', '--output=yaml', '--subresource=status']),
      /globalnetworkpolicies\.projectcalico\.org "none" not found/,
    );
  });
}
