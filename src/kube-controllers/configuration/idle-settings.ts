// Settings that are accepted as Calico accepts them, and change nothing here. Pure.
import { tryDurationMs } from '../../process/index.ts';
import type { KubeControllersConfiguration } from '../../resources/index.ts';

type Spec = KubeControllersConfiguration['spec'];

/** By variable, as the object would say it. */
interface Overruling {
  readonly HEALTH_ENABLED?: 'Enabled' | 'Disabled' | undefined;
  readonly SYNC_NODE_LABELS?: 'Enabled' | 'Disabled' | undefined;
}

const ofEtcd = ['policy', 'workloadEndpoint', 'serviceAccount', 'namespace'] as const;

/**
 * In sentences. `overruling` is what the environment says instead. Nothing is said of values that Calico itself puts into every
 * cluster's object, but for those that would have something done.
 */
export function idleSettings({ controllers, ...spec }: Partial<Spec>, overruling: Overruling = {}): string[] {
  const isSaid = (period: string | undefined, usual: readonly string[]) =>
    period !== undefined && !usual.map((text) => tryDurationMs(text)).includes(tryDurationMs(period));
  const health = overruling.HEALTH_ENABLED ?? spec.healthChecks;
  const syncLabels = overruling.SYNC_NODE_LABELS ?? controllers?.node?.syncLabels;
  const sourceOf = (variable: keyof Overruling, field: string) => (overruling[variable] ? variable : field);
  const settings: [where: string, value: unknown, isIdle: boolean, why: string][] = [
    [
      sourceOf('HEALTH_ENABLED', 'spec.healthChecks'),
      health,
      health === 'Disabled',
      'readiness and liveness are served all the same, for the kubelet asks for them',
    ],
    [
      'spec.debugProfilePort',
      spec.debugProfilePort,
      (spec.debugProfilePort ?? 0) > 0,
      'there is no profiler, and no port is opened',
    ],
    [
      'spec.etcdV3CompactionPeriod',
      spec.etcdV3CompactionPeriod,
      isSaid(spec.etcdV3CompactionPeriod, ['10m', '0']),
      'the API server looks after its etcd, and nobody else compacts it',
    ],
    ...ofEtcd.map((name): (typeof settings)[number] => {
      const period = controllers?.[name]?.reconcilerPeriod;
      const why = 'with the Kubernetes API as the datastore there is nothing to copy';
      return [`spec.controllers.${name}.reconcilerPeriod`, period, isSaid(period, ['5m']), why];
    }),
    [
      sourceOf('SYNC_NODE_LABELS', 'spec.controllers.node.syncLabels'),
      syncLabels,
      syncLabels === 'Disabled',
      "a node's labels are those of the Kubernetes Node all the same",
    ],
    [
      'spec.controllers.migration.policyNameMigrator',
      controllers?.migration?.policyNameMigrator,
      controllers?.migration?.policyNameMigrator === 'Enabled',
      'policies are renamed by "calicoctl migrate-from-calico" alone',
    ],
  ];
  return settings
    .filter(([, , isIdle]) => isIdle)
    .map(([where, value, , why]) => `${where} is "${value}"; ${why}`);
}
