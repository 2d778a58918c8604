// What another Calico's manifest has installed, as far as the API server can tell: its kinds, some objects, and its programs, which do
// nothing here.
import { legacy, legacyDefinitions } from '../../calicoctl/legacy-cluster.ts';
import type { Cluster } from '../cluster.ts';
import { pauseImage } from '../node-configuration.ts';
import { apply } from '../pods.ts';

const namespace = 'kube-system';
const names = ['calico-node', 'calico-kube-controllers', 'calico-cni-plugin'];

const objects = [
  legacy(
    'ClusterInformation',
    { name: 'default' },
    { calicoVersion: 'v3.29.1', clusterType: 'k8s', datastoreReady: true },
  ),
  legacy('FelixConfiguration', { name: 'default' }, { vxlanEnabled: true }),
  legacy('IPAMConfig', { name: 'default' }, { strictAffinity: false, autoAllocateBlocks: true }),
  legacy(
    'IPPool',
    { name: 'the-old-pool' },
    { cidr: '192.168.0.0/16', blockSize: 26, vxlanMode: 'Always', ipipMode: 'Never', natOutgoing: true },
  ),
  legacy(
    'GlobalNetworkPolicy',
    { name: 'default.nobody-mines' },
    {
      selector: 'all()',
      types: ['Egress'],
      egress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [3333] } }, { action: 'Allow' }],
    },
    { name: 'nobody-mines' },
  ),
];

/** Runs everywhere, on the host's network, and does nothing. */
function program(name: string) {
  const labels = { 'k8s-app': name };
  return {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: name,
        hostNetwork: true,
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 0,
        containers: [{ name, image: pauseImage, imagePullPolicy: 'Never' }],
      },
    },
  };
}

export async function installOldCalico(cluster: Cluster): Promise<void> {
  await apply(cluster, ...legacyDefinitions());
  await cluster.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
  await apply(
    cluster,
    ...objects,
    ...names.flatMap((name) => [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: [] },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ]),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'calico-config', namespace }, data: {} },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'calico-node', namespace },
      spec: program('calico-node'),
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'calico-kube-controllers', namespace },
      spec: { replicas: 1, ...program('calico-kube-controllers') },
    },
  );
  await cluster.kubectl([
    'rollout',
    'status',
    `--namespace=${namespace}`,
    'daemonset/calico-node',
    '--timeout=120s',
  ]);
}
