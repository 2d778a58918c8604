// What the controllers do: the KubeControllersConfiguration, overruled by environment variables, with Calico's defaults. Pure.
import { tryDurationMs } from '../../process/index.ts';
import type { KubeControllersConfiguration } from '../../resources/index.ts';
import { idleSettings } from './idle-settings.ts';

type Spec = KubeControllersConfiguration['spec'];
type Environment = Readonly<Record<string, string | undefined>>;
type OnOff = 'Enabled' | 'Disabled';

/** What is said of the host endpoints that nodes are to have by themselves. */
export type HostEndpointConfig = NonNullable<
  NonNullable<NonNullable<Spec['controllers']>['node']>['hostEndpoint']
>;

/** Every setting has a value here; durations are as people write them ("5m"), and are durations. */
export interface RunningConfig {
  readonly logSeverityScreen: NonNullable<Spec['logSeverityScreen']>;
  /** Always: the manifest's probes would start a program again and again that does not answer. */
  readonly healthChecks: 'Enabled';
  /** 0 serves none. */
  readonly prometheusMetricsPort: number;
  readonly controllers: {
    readonly node?: {
      readonly reconcilerPeriod: string;
      readonly leakGracePeriod: string;
      /** Always: they are the Kubernetes Node's own. */
      readonly syncLabels: 'Enabled';
      readonly hostEndpoint: HostEndpointConfig;
    };
    readonly loadBalancer?: { readonly assignIPs: 'AllServices' | 'RequestedServicesOnly' };
  };
}

export interface Configured {
  readonly config: RunningConfig;
  /** The variables that were heeded. */
  readonly environmentVars: Readonly<Record<string, string>>;
  /** In sentences, what was not understood and is as if it were not said. */
  readonly faults: readonly string[];
  /** In sentences, what was understood and changes nothing. */
  readonly idle: readonly string[];
}

const severities = ['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic'] as const;

/** Controllers of an etcd datastore, which have nothing to do where the Kubernetes API is the store. */
const etcdControllers = ['policy', 'profile', 'namespace', 'serviceaccount', 'workloadendpoint'];

export function runningConfig(spec: Spec | undefined, environment: Environment): Configured {
  const environmentVars: Record<string, string> = {};
  const faults: string[] = [];
  const read = <V>(name: string, parse: (text: string) => V | undefined, what: string): V | undefined => {
    const text = environment[name];
    if (text === undefined || text === '') return undefined;
    const value = parse(text.trim());
    if (value === undefined) faults.push(`${name} is "${text}"; it must be ${what}`);
    else environmentVars[name] = text;
    return value;
  };
  const severity = read(
    'LOG_LEVEL',
    (text) => severities.find((known) => known.toLowerCase() === text.toLowerCase()),
    `one of ${severities.join(', ')}`,
  );
  const health = read('HEALTH_ENABLED', onOff, '"true" or "false"');
  const period = read('RECONCILER_PERIOD', duration, 'a duration as "5m"');
  const syncLabels = read('SYNC_NODE_LABELS', onOff, '"true" or "false"');
  const autoCreate = read('AUTO_HOST_ENDPOINTS', onOff, '"enabled" or "disabled"');
  const overruling = { HEALTH_ENABLED: health, SYNC_NODE_LABELS: syncLabels };
  for (const [name, value] of Object.entries(overruling))
    if (value === 'Disabled') delete environmentVars[name];
  const enabled = read(
    'ENABLED_CONTROLLERS',
    (text) => text.split(',').map((name) => name.trim().toLowerCase()),
    '',
  );
  for (const name of enabled ?? []) {
    if (!['node', 'loadbalancer', ...etcdControllers].includes(name)) {
      faults.push(`ENABLED_CONTROLLERS names "${name}"; there are node and loadbalancer`);
    }
  }
  // What is absent from an object that names controllers does not run; without an object all of them do.
  const named = spec?.controllers ?? { node: {}, loadBalancer: {} };
  const isOn = (name: string, section: object | undefined) =>
    enabled?.includes(name) ?? section !== undefined;
  const { node, loadBalancer } = named;
  const durationOf = (field: string, text: string | undefined, otherwise: string): string => {
    if (text === undefined || duration(text) !== undefined) return text ?? otherwise;
    faults.push(`spec.controllers.${field} is "${text}"; it must be a duration as "5m"`);
    return otherwise;
  };
  return {
    config: {
      logSeverityScreen: severity ?? spec?.logSeverityScreen ?? 'Info',
      healthChecks: 'Enabled',
      prometheusMetricsPort: spec?.prometheusMetricsPort ?? 0,
      controllers: {
        ...(isOn('node', node) && {
          node: {
            reconcilerPeriod: period ?? durationOf('node.reconcilerPeriod', node?.reconcilerPeriod, '5m'),
            leakGracePeriod: durationOf('node.leakGracePeriod', node?.leakGracePeriod, '15m'),
            syncLabels: 'Enabled',
            hostEndpoint: {
              ...node?.hostEndpoint,
              autoCreate: autoCreate ?? node?.hostEndpoint?.autoCreate ?? 'Disabled',
              createDefaultHostEndpoint: node?.hostEndpoint?.createDefaultHostEndpoint ?? 'Enabled',
            },
          },
        }),
        ...(isOn('loadbalancer', loadBalancer) && {
          loadBalancer: { assignIPs: loadBalancer?.assignIPs ?? 'AllServices' },
        }),
      },
    },
    environmentVars,
    faults,
    idle: idleSettings(spec ?? {}, overruling),
  };
}

function onOff(text: string): OnOff | undefined {
  if (/^(true|enabled)$/i.test(text)) return 'Enabled';
  return /^(false|disabled)$/i.test(text) ? 'Disabled' : undefined;
}

function duration(text: string): string | undefined {
  return tryDurationMs(text) === undefined ? undefined : text;
}
