import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

interface Answer {
  readonly code: number;
  readonly body: AnswerBody;
  readonly headers: Headers;
}

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:', token: 'secret' });
});
after(() => server.close());

async function call(
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
  accept = '',
): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: 'Bearer secret',
      ...(accept ? { accept } : {}),
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { code: response.status, body: (await response.json()) as AnswerBody, headers: response.headers };
}

const configMaps = '/api/v1/namespaces/default/configmaps';
const policies = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';
const pods = '/api/v1/namespaces/default/pods';
const services = '/api/v1/namespaces/default/services';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';

function configMap(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

function pod(name: string, spec: object = {}) {
  return { metadata: { name }, spec: { containers: [{ name: 'main', image: 'x:1' }], ...spec } };
}

function service(name: string, ports: readonly number[]) {
  const spec = { ports: ports.map((port) => ({ name: `p${port}`, port, protocol: 'TCP' })) };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

const portsOf = ({ body }: Answer) => body.spec.ports.map(({ port }) => port);

test('a request without the token gets a 401 Status', async () => {
  const response = await fetch(`${server.url}/api/v1/pods`, { headers: { authorization: 'Bearer wrong' } });
  assert.equal(response.status, 401);
  assert.equal(((await response.json()) as AnswerBody).reason, 'Unauthorized');
});

test('the token is also taken as the password of basic authentication', async () => {
  const authorization = `Basic ${Buffer.from('kubectl:secret').toString('base64')}`;
  const response = await fetch(`${server.url}/api/v1/pods`, { headers: { authorization } });
  assert.equal(response.status, 200);
});

test('a created object gets uid, creation time and a revision that rises with each write', async () => {
  const first = await call('POST', configMaps, configMap('rising-1'));
  const second = await call('POST', configMaps, configMap('rising-2'));
  assert.equal(first.code, 201);
  assert.match(first.body.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.match(first.body.metadata.creationTimestamp, /^\d{4}-.*Z$/);
  assert.ok(Number(second.body.metadata.resourceVersion) > Number(first.body.metadata.resourceVersion));
});

test('generateName makes distinct names with the given prefix', async () => {
  const body = { metadata: { generateName: 'made-' } };
  const names = [await call('POST', configMaps, body), await call('POST', configMaps, body)].map(
    (answer) => answer.body.metadata.name,
  );
  assert.match(names[0] ?? '', /^made-[a-z0-9]{5}$/);
  assert.notEqual(names[0], names[1]);
});

test('creating what exists is refused with AlreadyExists', async () => {
  await call('POST', configMaps, configMap('twice'));
  const { code, body } = await call('POST', configMaps, configMap('twice'));
  assert.equal(code, 409);
  assert.equal(body.reason, 'AlreadyExists');
  assert.equal(body.message, 'configmaps "twice" already exists');
});

test('a replacement with a stale revision is refused with Conflict', async () => {
  const created = await call('POST', configMaps, configMap('stale'));
  await call('PATCH', `${configMaps}/stale`, { data: { a: '1' } }, merge);
  const { code, body } = await call('PUT', `${configMaps}/stale`, created.body);
  assert.equal(code, 409);
  assert.equal(body.reason, 'Conflict');
  assert.match(body.message, /the object has been modified/);
});

test('a write that changes nothing keeps the revision', async () => {
  const created = await call('POST', configMaps, configMap('same', { a: '1' }));
  const replaced = await call('PUT', `${configMaps}/same`, created.body);
  assert.equal(replaced.body.metadata.resourceVersion, created.body.metadata.resourceVersion);
});

test('a dry run answers like a write and stores nothing', async () => {
  const { code } = await call('POST', `${configMaps}?dryRun=All`, configMap('dry'));
  assert.equal(code, 201);
  assert.equal((await call('GET', `${configMaps}/dry`)).code, 404);
});

test('wrong methods, media types and paths are refused with 405, 415 and 404', async () => {
  assert.equal((await call('PUT', configMaps, {})).code, 405);
  assert.equal((await call('POST', configMaps, {}, 'text/csv')).code, 415);
  assert.equal((await call('GET', '/api/v1/things')).code, 404);
});

test('an invalid network policy is refused with one cause per field, by Kubernetes field paths', async () => {
  const { code, body } = await call('POST', policies, {
    metadata: { name: 'bad' },
    spec: {
      ingress: [
        {
          from: [
            { ipBlock: { cidr: '10.0.0.300/8' } },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } },
          ],
          ports: [{ port: 80, endPort: 70 }],
        },
      ],
    },
  });
  assert.equal(code, 422);
  assert.deepEqual(
    body.details.causes.map((cause) => cause.field),
    [
      'spec.ingress[0].ports[0].endPort',
      'spec.ingress[0].from[0].ipBlock.cidr',
      'spec.ingress[0].from[1].ipBlock.except[0]',
    ],
  );
  assert.match(body.message, /^NetworkPolicy.networking.k8s.io "bad" is invalid: \[/);
});

test('a network policy gets its policy types from its rules and its protocol from Kubernetes', async () => {
  const { body } = await call('POST', policies, {
    metadata: { name: 'defaults' },
    spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] },
  });
  assert.deepEqual(body.spec.policyTypes, ['Ingress', 'Egress']);
  assert.deepEqual(body.spec.egress[0]?.ports, [{ port: 53, protocol: 'TCP' }]);
});

test('generation counts changes of the spec and not of labels', async () => {
  await call('POST', policies, { metadata: { name: 'counted' }, spec: { podSelector: {} } });
  const labelled = await call('PATCH', `${policies}/counted`, { metadata: { labels: { a: 'b' } } }, merge);
  const changed = await call('PATCH', `${policies}/counted`, { spec: { policyTypes: ['Egress'] } }, merge);
  assert.deepEqual([labelled.body.metadata.generation, changed.body.metadata.generation], [1, 2]);
});

test('unknown fields are refused, reported or dropped as fieldValidation says', async () => {
  const body = { metadata: { name: 'unknown' }, spec: { podSelector: {}, bogus: 1 } };
  const strict = await call('POST', `${policies}?fieldValidation=Strict`, body);
  assert.equal(strict.code, 400);
  assert.match(strict.body.message, /unknown field "spec\.bogus"/);
  const warned = await call('POST', `${policies}?fieldValidation=Warn`, body);
  assert.equal(warned.code, 201);
  assert.equal(warned.headers.get('warning'), '299 - "unknown field \\"spec.bogus\\""');
  assert.equal(warned.body.spec.bogus, undefined);
});

test('a field that is there twice has its last value, and is refused or warned of as wished', async () => {
  const send = async (method: string, path: string, contentType: string, body: string) => {
    const headers = { authorization: 'Bearer secret', 'content-type': contentType };
    const response = await fetch(server.url + path, { method, headers, body });
    const { code, ...answer } = (await response.json()) as AnswerBody;
    return { code: response.status, warning: response.headers.get('warning'), ...answer };
  };
  const text = '{"metadata":{"name":"repeated"},"data":{"a":"1","a":"2"}}';
  const strict = await send('POST', `${configMaps}?fieldValidation=Strict`, 'application/json', text);
  assert.equal(strict.code, 400);
  assert.match(strict.message, /strict decoding error: duplicate field "data\.a"$/);
  const warned = await send('POST', configMaps, 'application/json', text);
  assert.equal(warned.warning, '299 - "duplicate field \\"data.a\\""');
  assert.equal(warned.data.a, '2');
  const patch = await send(
    'PATCH',
    `${configMaps}/repeated?fieldValidation=Strict`,
    merge,
    '{"data":{"a":"3","a":"4"}}',
  );
  assert.equal(patch.code, 422);
  const yaml = 'metadata:\n  name: lines\ndata:\n  a: "1"\n  a: "2"\n';
  const lines = await send('POST', configMaps, 'application/yaml', yaml);
  assert.equal(lines.warning, '299 - "line 5: key \\"a\\" already set in map"');
  assert.equal(lines.data.a, '2');
});

test('a definition is told of all that it lacks at once', async () => {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const version = {
    name: 'v1',
    served: true,
    storage: false,
    schema: { openAPIV3Schema: { type: 'object' } },
  };
  const spec = { group: 'example.com', names: { plural: 'things' }, versions: [version] };
  const { code, body } = await call('POST', path, { metadata: { name: 'things.example.com' }, spec });
  assert.equal(code, 422);
  assert.deepEqual(
    body.details.causes.map(({ field }) => field),
    [
      'spec.scope',
      'spec.versions',
      'spec.names.singular',
      'spec.names.kind',
      'spec.names.listKind',
      'status.storedVersions',
    ],
  );
});

test('status is written through its subresource alone, and nothing else through that', async () => {
  await call('POST', pods, { ...pod('statused'), status: { phase: 'Running' } });
  const main = await call('PATCH', `${pods}/statused`, { status: { phase: 'Running' } }, merge);
  assert.equal(main.body.status.phase, 'Pending');
  const patch = { status: { phase: 'Running' }, spec: { nodeName: 'elsewhere' } };
  const status = await call('PATCH', `${pods}/statused/status`, patch, merge);
  assert.equal(status.body.status.phase, 'Running');
  assert.equal(status.body.spec.nodeName, undefined);
});

test('a strategic merge patch merges the items of lists by their keys', async () => {
  const containers = [
    { name: 'main', image: 'x:1' },
    { name: 'side', image: 'y:1' },
  ];
  await call('POST', pods, pod('merged', { containers }));
  const patch = { spec: { containers: [{ name: 'side', image: 'y:2' }] } };
  const { body } = await call('PATCH', `${pods}/merged`, patch, strategic);
  assert.deepEqual(
    body.spec.containers.map(({ name, image }) => [name, image]),
    [
      ['main', 'x:1'],
      ['side', 'y:2'],
    ],
  );
  await call('POST', services, service('merged', [80]));
  const added = { spec: { ports: [{ name: 'p81', port: 81 }] } };
  assert.deepEqual(portsOf(await call('PATCH', `${services}/merged`, added, strategic)), [80, 81]);
  const removed = { spec: { ports: [{ port: 81, $patch: 'delete' }] } };
  assert.deepEqual(portsOf(await call('PATCH', `${services}/merged`, removed, strategic)), [80]);
});

test('a JSON patch whose test fails changes nothing', async () => {
  await call('POST', configMaps, configMap('tested', { a: '1' }));
  const patch = [
    { op: 'replace', path: '/data/a', value: '2' },
    { op: 'test', path: '/data/a', value: '3' },
  ];
  assert.equal((await call('PATCH', `${configMaps}/tested`, patch, 'application/json-patch+json')).code, 422);
  assert.equal((await call('GET', `${configMaps}/tested`)).body.data.a, '1');
});

test('server-side apply takes away what its manager no longer wants and keeps what others own', async () => {
  const apply = 'application/apply-patch+yaml';
  const path = `${configMaps}/owned`;
  const base = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' } };
  const made = await call('PATCH', `${path}?fieldManager=one`, { ...base, data: { a: '1', b: '1' } }, apply);
  assert.equal(made.code, 201);
  await call('PATCH', `${path}?fieldManager=two`, { ...base, data: { c: '1' } }, apply);
  const { body } = await call('PATCH', `${path}?fieldManager=one`, { ...base, data: { a: '1' } }, apply);
  assert.deepEqual(body.data, { a: '1', c: '1' });
});

test('server-side apply refuses a field that another manager holds otherwise, and takes it by force', async () => {
  const apply = 'application/apply-patch+yaml';
  const path = `${configMaps}/contested`;
  const base = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'contested' } };
  await call('PATCH', `${path}?fieldManager=one`, { ...base, data: { a: '1' } }, apply);
  const refused = await call('PATCH', `${path}?fieldManager=two`, { ...base, data: { a: '2' } }, apply);
  assert.equal(refused.code, 409);
  assert.deepEqual(refused.body.details.causes[0], {
    reason: 'FieldManagerConflict',
    message: 'conflict with "one"',
    field: '.data.a',
  });
  const forced = await call(
    'PATCH',
    `${path}?fieldManager=two&force=true`,
    { ...base, data: { a: '2' } },
    apply,
  );
  assert.equal(forced.body.data.a, '2');
  assert.equal(forced.body.metadata.managedFields.length, 1);
});

test('a plain write to an applied field takes it over, so that the next apply conflicts', async () => {
  const apply = 'application/apply-patch+yaml';
  const path = `${configMaps}/taken`;
  const base = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken' } };
  await call('PATCH', `${path}?fieldManager=one`, { ...base, data: { a: '1' } }, apply);
  await call('PATCH', `${path}?fieldManager=hand`, { data: { a: '2' } }, merge);
  const { code } = await call('PATCH', `${path}?fieldManager=one`, { ...base, data: { a: '1' } }, apply);
  assert.equal(code, 409);
});

test('server-side apply takes a whole list item away when its manager no longer names it', async () => {
  const apply = 'application/apply-patch+yaml';
  const path = `${services}/applied?fieldManager=one`;
  await call('PATCH', path, service('applied', [80, 81]), apply);
  assert.deepEqual(portsOf(await call('PATCH', path, service('applied', [80]), apply)), [80]);
});

test('a pod that runs on a node waits for its kubelet, which ends it with grace zero', async () => {
  await call('POST', pods, pod('graceful', { nodeName: 'n1' }));
  const marked = await call('DELETE', `${pods}/graceful`);
  assert.equal(marked.body.metadata.deletionGracePeriodSeconds, 30);
  assert.equal((await call('GET', `${pods}/graceful`)).code, 200);
  await call('DELETE', `${pods}/graceful?gracePeriodSeconds=0`);
  assert.equal((await call('GET', `${pods}/graceful`)).code, 404);
});

test('a shorter grace counts from the first deletion, and is the least there is when it is over by then', async (t) => {
  const first = Date.parse('2030-01-01T00:00:00Z');
  t.mock.timers.enable({ apis: ['Date'], now: first });
  await call('POST', pods, pod('hurried', { nodeName: 'n1' }));
  await call('DELETE', `${pods}/hurried?gracePeriodSeconds=500`);
  t.mock.timers.setTime(first + 100_000);
  const shortened = await call('DELETE', `${pods}/hurried?gracePeriodSeconds=200`);
  assert.equal(shortened.body.metadata.deletionGracePeriodSeconds, 200);
  assert.equal(shortened.body.metadata.deletionTimestamp, '2030-01-01T00:03:20Z');
  const over = await call('DELETE', `${pods}/hurried?gracePeriodSeconds=20`);
  assert.equal(over.body.metadata.deletionGracePeriodSeconds, 1);
  assert.equal(over.body.metadata.deletionTimestamp, '2030-01-01T00:01:40Z');
});

test('a pod that is on no node goes at once', async () => {
  await call('POST', pods, pod('unscheduled'));
  assert.deepEqual((await call('DELETE', `${pods}/unscheduled`)).body.status, 'Success');
  assert.equal((await call('GET', `${pods}/unscheduled`)).code, 404);
});

test('finalizers keep a deleted object until the last of them is taken off', async () => {
  await call('POST', configMaps, { metadata: { name: 'kept', finalizers: ['example.com/hold'] } });
  const marked = await call('DELETE', `${configMaps}/kept`);
  assert.ok(marked.body.metadata.deletionTimestamp);
  await call('PATCH', `${configMaps}/kept`, { metadata: { finalizers: null } }, merge);
  assert.equal((await call('GET', `${configMaps}/kept`)).code, 404);
});

test('deletion is refused when the uid in its preconditions is another', async () => {
  await call('POST', configMaps, configMap('guarded'));
  const { code } = await call('DELETE', `${configMaps}/guarded`, { preconditions: { uid: 'other' } });
  assert.equal(code, 409);
});

test('deletecollection deletes what the label selector matches and no more', async () => {
  await call('POST', configMaps, configMap('many-1', {}, { batch: 'one' }));
  await call('POST', configMaps, configMap('many-2', {}, { batch: 'two' }));
  await call('DELETE', `${configMaps}?labelSelector=batch%3Done`);
  assert.equal((await call('GET', `${configMaps}/many-1`)).code, 404);
  assert.equal((await call('GET', `${configMaps}/many-2`)).code, 200);
});

test('a namespace can be replaced by one that says nothing of its spec', async () => {
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'replaced', labels: { a: 'b' } },
  };
  await call('POST', '/api/v1/namespaces', { ...namespace, metadata: { name: 'replaced' } });
  const { code, body } = await call('PUT', '/api/v1/namespaces/replaced', namespace);
  assert.equal(code, 200);
  const { metadata, spec } = body as unknown as { metadata: { labels: object }; spec: object };
  assert.deepEqual(
    [Object.keys(metadata.labels), spec],
    [['a', 'kubernetes.io/metadata.name'], { finalizers: ['kubernetes'] }],
  );
});

test('nothing can be created in a namespace that does not exist', async () => {
  const { code, body } = await call('POST', '/api/v1/namespaces/nowhere/configmaps', configMap('lost'));
  assert.equal(code, 404);
  assert.equal(body.message, 'namespaces "nowhere" not found');
});

test('pages of a list are one snapshot, and say how much is left', async () => {
  for (const name of ['page-1', 'page-2', 'page-3'])
    await call('POST', configMaps, configMap(name, {}, { page: 'y' }));
  const selected = `${configMaps}?labelSelector=page&limit=2`;
  const all = await call('GET', `${configMaps}?limit=1`);
  assert.ok(all.body.metadata.remainingItemCount > 0);
  const first = await call('GET', selected);
  assert.equal(first.body.metadata.remainingItemCount, undefined);
  await call('DELETE', `${configMaps}/page-3`);
  const second = await call('GET', `${selected}&continue=${first.body.metadata.continue}`);
  assert.deepEqual(
    second.body.items.map((item) => item.metadata.name),
    ['page-3'],
  );
  assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
});

test('label and field selectors narrow a list, and unknown fields are refused', async () => {
  await call('POST', pods, { ...pod('on-n7', { nodeName: 'n7' }) });
  const found = await call('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn7,status.phase!%3DRunning');
  assert.equal(found.body.items.length, 1);
  assert.equal((await call('GET', '/api/v1/pods?fieldSelector=spec.bogus%3D1')).code, 400);
  assert.equal((await call('GET', '/api/v1/pods?labelSelector=a%20in%20x')).code, 400);
});

test('a service gets a cluster IP of its own out of 10.96.0.0/12 and keeps it', async () => {
  const services = '/api/v1/namespaces/default/services';
  const made = await call('POST', services, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });
  const address = made.body.spec.clusterIP;
  assert.match(address, /^10\.(9[6-9]|10\d|11[01])\./);
  const { resourceVersion } = made.body.metadata;
  const spec = { ports: [{ port: 81 }] };
  const replaced = await call('PUT', `${services}/web`, { metadata: { name: 'web', resourceVersion }, spec });
  assert.equal(replaced.body.spec.clusterIP, address);
  const moved = { metadata: { name: 'web' }, spec: { ...spec, clusterIP: '10.96.0.99' } };
  assert.equal((await call('PUT', `${services}/web`, moved)).code, 422);
});

test('a table has the columns of its kind, with the wide ones marked by their priority', async () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const { body } = await call('GET', '/api/v1/pods', undefined, '', accept);
  assert.equal(body.kind, 'Table');
  const shown = body.columnDefinitions.filter((column) => column.priority === 0);
  assert.deepEqual(
    shown.map((column) => column.name),
    ['Name', 'Ready', 'Status', 'Restarts', 'Age'],
  );
});

test('a built-in object of which a field has the wrong type cannot be decoded', async () => {
  const { code, body } = await call('POST', pods, pod('typed', { hostNetwork: 'yes' }));
  assert.equal(code, 400);
  assert.equal(body.reason, 'BadRequest');
  assert.match(
    body.message,
    /^Pod in version "v1" cannot be handled as a Pod: spec\.hostNetwork: .*type boolean/,
  );
});
