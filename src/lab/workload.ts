// The sample workload of the lab: twelve pods in three namespaces, as the API server is to store them.
// Where they run is the scheduler's affair; what may reach what is said in demo/stages.ts.
import type { Namespace, Pod } from '../resources/index.ts';

/** Every pod answers on these. The number behind the TCP name "http" differs from pod to pod, as named ports may. */
const ports = (http: number) => [
  { name: 'http', containerPort: http, protocol: 'TCP' as const },
  { name: 'admin', containerPort: 9090, protocol: 'TCP' as const },
  { name: 'dns', containerPort: 53, protocol: 'UDP' as const },
  { name: 'diameter', containerPort: 3868, protocol: 'SCTP' as const },
];

const client = { role: 'client' };

/** Name, labels and the number of port "http" of each pod. Four to a namespace, so that each is on every one of three nodes. */
const sample: Readonly<Record<string, readonly (readonly [string, Record<string, string>, number])[]>> = {
  test: [
    ['api-0', { app: 'api' }, 8080],
    ['api-1', { app: 'api' }, 8000],
    ['db-0', { app: 'db' }, 8080],
    ['job-0', { app: 'job', ...client }, 8080],
  ],
  web: [
    ['front-0', { app: 'front', ...client }, 8080],
    ['front-1', { app: 'front', ...client }, 8000],
    ['cache-0', { app: 'cache' }, 8080],
    ['assets-0', { app: 'assets' }, 8080],
  ],
  shop: [
    ['cart-0', { app: 'cart', ...client }, 8080],
    ['orders-0', { app: 'orders' }, 8080],
    ['stock-0', { app: 'stock' }, 8000],
    ['pay-0', { app: 'pay' }, 8080],
  ],
};

export function sampleNamespaces(): Namespace[] {
  return Object.keys(sample).map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { team: name } },
  }));
}

export function samplePods(): Pod[] {
  return Object.entries(sample).flatMap(([namespace, list]) =>
    list.map(([name, labels, http]) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: {
        // Nothing in the pod needs time to say goodbye; thirty seconds of grace would only be waited out by people.
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'probe', image: 'calico-lab/probe', ports: ports(http) }],
      },
    })),
  );
}
