// KubeControllersConfiguration: what calico-kube-controllers does. There is one, named "default".
import type { Static } from 'typebox';
import { integer, mapOf, object, oneOf, optional, string, word } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind, namedDefault } from './calico-kind.ts';
import { duration } from './duration-field.ts';
import { hostEndpointTemplates } from './host-endpoint-template.ts';

const onOff = ['Enabled', 'Disabled'] as const;

function reconciled(description: string) {
  return optional(object({ reconcilerPeriod: reconcilerPeriod() }, { description }));
}

function reconcilerPeriod() {
  return optional(duration({ description: 'How often everything is compared again; "5m" when absent.' }));
}

const hostEndpoint = object(
  {
    autoCreate: optional(oneOf(onOff, { description: 'Whether every node gets host endpoints by itself.' })),
    createDefaultHostEndpoint: optional(
      word(onOff, { description: 'Whether one for all interfaces is among them.' }),
    ),
    templates: optional(hostEndpointTemplates),
  },
  { description: 'Host endpoints that are made for nodes.' },
);

const node = object(
  {
    reconcilerPeriod: reconcilerPeriod(),
    leakGracePeriod: optional(
      duration({ description: 'How long an address without an owner is left alone; "15m" when absent.' }),
    ),
    syncLabels: optional(
      oneOf(onOff, { description: "Whether Calico's nodes take on the labels of Kubernetes'." }),
    ),
    hostEndpoint: optional(hostEndpoint),
  },
  { description: 'Tidies up after nodes, and makes host endpoints for them.' },
);

const controllers = object(
  {
    node: optional(node),
    policy: reconciled('Copies network policies; with etcd only.'),
    workloadEndpoint: reconciled('Copies labels of pods; with etcd only.'),
    serviceAccount: reconciled('Copies service accounts; with etcd only.'),
    namespace: reconciled('Copies namespaces; with etcd only.'),
    loadBalancer: optional(
      object(
        {
          assignIPs: optional(
            oneOf(['AllServices', 'RequestedServicesOnly'], {
              default: 'AllServices',
              description: 'Which services of type LoadBalancer get addresses.',
            }),
          ),
        },
        { description: 'Gives addresses to services.' },
      ),
    ),
    migration: optional(
      object(
        {
          policyNameMigrator: optional(
            oneOf(['Disabled', 'Enabled'], {
              default: 'Enabled',
              description: 'Whether policies stored under older names are renamed; no effect here.',
            }),
          ),
        },
        { description: 'Brings data of older versions up to date.' },
      ),
    ),
  },
  { description: 'Which controllers run, and how; one that is absent does not run.' },
);

const fields = {
  controllers,
  logSeverityScreen: optional(
    oneOf(['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic'], {
      description: 'Least severity that is logged; Info when absent.',
    }),
  ),
  healthChecks: optional(
    oneOf(onOff, { default: 'Enabled', description: 'Whether readiness and liveness are reported.' }),
  ),
  etcdV3CompactionPeriod: optional(
    duration({
      description: 'How often etcd forgets old revisions; no effect here: the API server looks after that.',
    }),
  ),
  prometheusMetricsPort: optional(
    integer({ minimum: 0, maximum: 65535, description: 'Port of the metrics; none when 0.' }),
  ),
  debugProfilePort: optional(
    integer({
      minimum: 0,
      maximum: 65535,
      format: 'int32',
      description: 'Port of the profiler; no effect here: there is none.',
    }),
  ),
};

const spec = object(fields);

const status = object({
  runningConfig: optional(object(fields, { description: 'What is in force, from all sources together.' })),
  environmentVars: optional(
    mapOf(string(), { description: 'Environment variables that were taken into account.' }),
  ),
});

export interface KubeControllersConfiguration extends Resource {
  spec: Static<typeof spec>;
  status?: Static<typeof status>;
}

export const kubeControllersConfigurations = calicoKind<KubeControllersConfiguration>({
  kind: 'KubeControllersConfiguration',
  plural: 'kubecontrollersconfigurations',
  description: 'What calico-kube-controllers does.',
  shortNames: ['kcc', 'kccs'],
  rules: [namedDefault],
  example: {
    metadata: { name: 'default' },
    spec: {
      controllers: {
        node: { leakGracePeriod: '15m', hostEndpoint: { autoCreate: 'Enabled' } },
        loadBalancer: { assignIPs: 'AllServices' },
      },
    },
  },
  spec,
  status,
});
