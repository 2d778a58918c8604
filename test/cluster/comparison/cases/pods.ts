// Which node a pod has, and what of it may change after that.
import { compare, create, line, request } from '../case.ts';
import { pod } from './objects.ts';

const binding = (name: string, target: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata: { name, ...metadata },
  target,
});
const bind = (name: string, body: object | string, query = '') =>
  request('POST', `/api/v1/namespaces/default/pods/${name}/binding${query}`, body);
const node = { apiVersion: 'v1', kind: 'Node', name: 'somewhere' };
const tolerations = [
  { key: 'a', operator: 'Equal', value: '1', effect: 'NoExecute', tolerationSeconds: 5 },
  { key: 'b', operator: 'Exists' },
];
/** Of a refusal the real server goes on to show how its own structures differ. */
const patch = (name: string, spec: object) =>
  line(
    `kubectl patch pod ${name} --type=merge -p '${JSON.stringify({ spec })}' 2>&1 | grep -v '^[-+@ ]\\|^$'`,
  );

export const pods = [
  compare(
    'pods that are bound',
    create(pod('to-bind')),
    bind('to-bind', binding('to-bind', node), '?dryRun=All'),
    bind('to-bind', binding('to-bind', { kind: 'Pod', name: 'somewhere' })),
    bind('to-bind', binding('to-bind', { kind: 'Node' })),
    bind('to-bind', binding('to-bind', {})),
    bind('to-bind', binding('other', node)),
    bind('to-bind', binding('to-bind', node, { uid: 'x' })),
    bind('to-bind', binding('to-bind', node, { resourceVersion: '1' })),
    bind('to-bind', binding('to-bind', node, { namespace: 'other' })),
    bind('to-bind', { ...binding('to-bind', node), nonsense: 1 }, '?fieldValidation=Strict'),
    bind('to-bind', {}),
    bind('to-bind', ''),
    bind('to-bind', binding('to-bind', node, { annotations: { a: 'b' }, labels: { c: 'd' } })),
    `kubectl get pod to-bind -o jsonpath='{.metadata.annotations} {.metadata.labels} {.metadata.generation} {.spec.nodeName} {.status}'`,
    bind('to-bind', binding('to-bind', node)),
    bind('none', binding('none', node)),
    ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) =>
      request(method, '/api/v1/namespaces/default/pods/to-bind/binding'),
    ),
    'kubectl delete pod to-bind --grace-period=0 --force',
    create(pod('held', {}, { finalizers: ['a.b/c'] })),
    'kubectl delete pod held --wait=false',
    bind('held', binding('held', node)),
    `kubectl patch pod held --type=merge -p '{"metadata":{"finalizers":null}}'`,
    create(pod('gated', { schedulingGates: [{ name: 'a.b/c' }] })),
    bind('gated', binding('gated', node)),
    patch('gated', { nodeSelector: { a: 'b' } }),
    patch('gated', { nodeSelector: { a: 'c' } }),
    patch('gated', { schedulingGates: null }),
    patch('gated', { nodeSelector: { a: 'b', c: 'd' } }),
    request('POST', '/api/v1/namespaces/default/bindings', binding('gated', node)),
    'kubectl delete pod gated --grace-period=0 --force',
  ),
  compare(
    'what of a pod may change',
    create(pod('changing', { tolerations })),
    ...[
      { dnsPolicy: 'Default' },
      { nodeName: 'elsewhere' },
      { hostNetwork: true },
      { nodeSelector: { a: 'b' } },
      { terminationGracePeriodSeconds: 1 },
      { containers: [{ name: 'web', image: 'example.com/web:2' }] },
      { containers: [{ name: 'web', image: 'example.com/web:2', imagePullPolicy: 'Never' }] },
      { containers: [{ name: 'web', image: '' }] },
      { containers: [{ name: 'web', image: ' x' }] },
      { containers: [{ name: 'other', image: 'example.com/web:2' }] },
      { containers: [] },
      {
        containers: [
          { name: 'web', image: 'example.com/web:2' },
          { name: 'more', image: 'x' },
        ],
      },
      { initContainers: [{ name: 'more', image: 'x' }] },
      { activeDeadlineSeconds: 100 },
      { activeDeadlineSeconds: 50 },
      { activeDeadlineSeconds: 60 },
      { activeDeadlineSeconds: null },
      { activeDeadlineSeconds: 0 },
      { activeDeadlineSeconds: -1 },
      { tolerations: [] },
      { tolerations: [{ ...tolerations[0], tolerationSeconds: 50 }, tolerations[1]] },
      { tolerations: [{ ...tolerations[0], value: '2' }, tolerations[1]] },
      { tolerations: [...tolerations, { key: 'c', operator: 'Exists' }] },
      { tolerations: [], dnsPolicy: 'Default' },
      { schedulingGates: [{ name: 'a.b/c' }] },
      { dnsPolicy: 'Nonsense' },
      {},
    ].map((spec) => patch('changing', spec)),
    'kubectl label pod changing a=b',
    'kubectl set image pod/changing web=example.com/web:3',
    line(`kubectl replace -f - 2>&1 | grep -v '^[-+@ ]\\|^$'`, pod('changing')),
    `kubectl patch pod changing --subresource=status --type=merge -p '{"spec":{"nodeName":"other"},"status":{"phase":"Running"}}'`,
    `kubectl get pod changing -o jsonpath='{.metadata.generation} {.spec.nodeName} {.spec.containers[*].image} {.spec.activeDeadlineSeconds} {.status.phase}'`,
    'kubectl delete pod changing --grace-period=0 --force',
    ...[{ activeDeadlineSeconds: 0 }, { containers: [{ name: 'web', image: ' x' }] }].map((spec) =>
      create(pod('unmade', spec)),
    ),
  ),
];
