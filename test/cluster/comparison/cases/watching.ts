// Watches: what they begin with, what they tell, how they end.
import { compare, create, get, line } from '../case.ts';
import { configMap, policy } from './objects.ts';

const named = (name: string) => `fieldSelector=metadata.name%3D${name}`;
const maps = '/api/v1/namespaces/default/configmaps';
const policies = '/apis/projectcalico.org/v3/globalnetworkpolicies';

/** Types and names of the events of a watch that ends by itself. Bookmarks come, and how many, as time has it: who asks for them may differ. */
const events = (path: string) =>
  line(
    `kubectl get --raw '${path}' | grep -o '"type":"[A-Z]*"\\|"name":"watched[a-z-]*"\\|"code":[0-9]*\\|initial-events-end'`,
  );

export const watching = [
  compare(
    'what a watch begins with',
    create(configMap('watched')),
    create(policy('watched')),
    ...[maps, policies].flatMap((path) => [
      get(`${path}?watch=true&timeoutSeconds=8&${named('watched')}`),
      get(`${path}?watch=1&timeoutSeconds=2&resourceVersion=0&${named('watched')}`),
      get(`${path}/watched?watch=true&timeoutSeconds=2`),
      get(`${path}?watch=true&timeoutSeconds=2&resourceVersion=1&${named('watched')}`),
      get(`${path}?watch=true&timeoutSeconds=2&resourceVersion=999999999&${named('watched')}`),
      events(
        `${path}?watch=true&timeoutSeconds=8&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&${named('watched')}`,
      ),
      events(
        `${path}?watch=true&timeoutSeconds=8&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&${named('watched')}`,
      ),
      get(`${path}?watch=true&timeoutSeconds=8&sendInitialEvents=true&${named('watched')}`),
      get(
        `${path}?watch=true&timeoutSeconds=8&sendInitialEvents=true&resourceVersionMatch=Exact&${named('watched')}`,
      ),
      get(`${path}?watch=true&timeoutSeconds=2&resourceVersionMatch=NotOlderThan&${named('watched')}`),
      get(`${path}?watch=true&timeoutSeconds=2&labelSelector=a%20in%20(b`),
      get(`${path}?watch=true&timeoutSeconds=x`),
      get(`${path}?watch=true&timeoutSeconds=8&limit=1&${named('watched')}`),
      get(`${path}?watch=true&timeoutSeconds=2&continue=x&${named('watched')}`),
      get(`${path}?watch=true&timeoutSeconds=8&${named('watched')}`, {
        Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      }),
      get(`${path}?watch=true&timeoutSeconds=8&${named('watched')}`, {
        Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      }),
      get(`${path}?watch=true&timeoutSeconds=8&${named('watched')}`, { Accept: 'application/yaml' }),
      get(`${path}?watch=true&timeoutSeconds=8&${named('watched')}`, { Accept: 'text/html' }),
    ]),
  ),
  compare(
    'what a watch tells',
    ...[
      { kind: 'configmap', path: maps, object: configMap('told') },
      { kind: 'gnp', path: policies, object: policy('told') },
    ].flatMap(({ kind, path, object }) => [
      line(
        `kubectl get --raw '${path}?limit=1' | grep -o '"resourceVersion":"[0-9]*"' | head -1 | grep -o '[0-9]*' > $HOME/revision`,
      ),
      create(object),
      `kubectl label ${kind} told told=yes`,
      `kubectl annotate ${kind} told a=b`,
      `kubectl label ${kind} told told=no --overwrite`,
      `kubectl label ${kind} told told=yes --overwrite`,
      `kubectl delete ${kind} told`,
      ...[
        named('told'),
        'labelSelector=told%3Dyes',
        'labelSelector=told!%3Dyes,told',
        `labelSelector=told&${named('told')}`,
      ].map((selector) =>
        line(
          `kubectl get --raw "${path}?watch=true&timeoutSeconds=2&${selector}&resourceVersion=$(cat $HOME/revision)" | grep -o '"type":"[A-Z]*"\\|"told":"[a-z]*"'`,
        ),
      ),
    ]),
    'timeout 4 kubectl get gnp watched --watch --output-watch-events --no-headers',
    'timeout 4 kubectl get configmap watched --watch --output-watch-events',
  ),
];
