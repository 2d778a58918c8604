// FelixConfiguration: how the process runs: logs, metrics, health, debugging, usage reports, platforms. Declarations only.
import { arrayOf, boolean, integer, object, oneOf, optional, string } from '../../field.ts';
import { anyCase, duration } from './shapes.ts';

export const process = {
  awsSrcDstCheck: optional(
    oneOf(['DoNothing', 'Enable', 'Disable'], {
      description: 'What to do about the source and destination check of EC2 network interfaces.',
    }),
  ),
  debugDisableLogDropping: optional(
    boolean({ description: 'Whether logging may block instead of losing lines.' }),
  ),
  debugHost: optional(string({ description: 'Address on which debugging information is served.' })),
  debugMemoryProfilePath: optional(
    string({ description: 'File that a memory profile is written to on request.' }),
  ),
  debugPort: optional(integer({ description: 'Port on which debugging information is served.' })),
  debugSimulateCalcGraphHangAfter: optional(
    duration({ description: 'For tests: when the calculation stops.' }),
  ),
  debugSimulateDataplaneApplyDelay: optional(
    duration({ description: 'For tests: how long each update of the dataplane is held up.' }),
  ),
  debugSimulateDataplaneHangAfter: optional(
    duration({ description: 'For tests: when the dataplane stops.' }),
  ),
  endpointReportingDelay: optional(
    duration({ description: "How long a change of an endpoint's status waits to be reported." }),
  ),
  endpointReportingEnabled: optional(
    boolean({ description: 'Whether the status of endpoints is reported to the datastore.' }),
  ),
  featureDetectOverride: optional(
    string({
      pattern: '^([a-zA-Z0-9-_]+=(true|false|),)*([a-zA-Z0-9-_]+=(true|false|))?$',
      description: 'Features of the kernel to take as present or absent.',
    }),
  ),
  featureGates: optional(
    string({
      pattern: '^([a-zA-Z0-9-_]+=([^=]+),)*([a-zA-Z0-9-_]+=([^=]+))?$',
      description: 'Experimental behaviour to turn on.',
    }),
  ),
  flowLogsCollectorDebugTrace: optional(
    boolean({ description: 'Whether the collection of flow logs is traced.' }),
  ),
  flowLogsFlushInterval: optional(duration({ description: 'How often flow logs are handed on.' })),
  flowLogsGoldmaneServer: optional(string({ description: 'Where flow logs are sent.' })),
  flowLogsLocalReporter: optional(
    oneOf(['Disabled', 'Enabled'], { description: 'Whether flow logs can be read on the node.' }),
  ),
  flowLogsPolicyEvaluationMode: optional(
    oneOf(['None', 'Continuous'], {
      description: 'Whether the verdict on a running flow is judged anew when policies change.',
    }),
  ),
  goGCThreshold: optional(
    integer({ description: 'Garbage collection target of programs written in Go; without effect here.' }),
  ),
  goMaxProcs: optional(integer({ description: 'Threads of programs written in Go; without effect here.' })),
  goMemoryLimitMB: optional(
    integer({ description: 'Memory limit of programs written in Go; without effect here.' }),
  ),
  healthEnabled: optional(boolean({ description: 'Whether the agent serves its health.' })),
  healthHost: optional(string({ description: 'Address on which health is served.' })),
  healthPort: optional(integer({ description: 'Port on which health is served.' })),
  healthTimeoutOverrides: optional(
    arrayOf(
      object({
        name: string({ description: 'The part.' }),
        timeout: string({ description: 'How long, such as "90s".' }),
      }),
      {
        'x-kubernetes-list-type': 'atomic',
        description: 'Per part of the agent, how long it may be silent before it counts as ill.',
      },
    ),
  ),
  logActionRateLimit: optional(
    string({
      pattern: '^[1-9]\\d{0,3}/(?:second|minute|hour|day)$',
      description: 'Most log lines by policy rules in a span of time.',
    }),
  ),
  logActionRateLimitBurst: optional(
    integer({
      minimum: 0,
      maximum: 9999,
      description: 'Log lines beyond the rate that are let through at once.',
    }),
  ),
  logDebugFilenameRegex: optional(string({ description: 'Which source files log at debug level.' })),
  logFilePath: optional(string({ description: 'File that is logged to.' })),
  logPrefix: optional(
    string({ pattern: '^([a-zA-Z0-9%: /_-])*$', description: 'How log lines by policy rules begin.' }),
  ),
  logSeverityFile: optional(
    anyCase(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'], {
      description: 'Least severity that is logged to the file.',
    }),
  ),
  logSeverityScreen: optional(
    anyCase(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'], {
      description: 'Least severity that is logged to standard output.',
    }),
  ),
  logSeveritySys: optional(
    anyCase(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'], {
      description: 'Least severity that is logged to syslog.',
    }),
  ),
  metadataAddr: optional(string({ description: 'Address of the OpenStack metadata server.' })),
  metadataPort: optional(integer({ description: 'Port of the OpenStack metadata server.' })),
  openstackRegion: optional(string({ description: 'The OpenStack region of this node.' })),
  prometheusGoMetricsEnabled: optional(
    boolean({ description: 'Whether metrics of the language runtime are served.' }),
  ),
  prometheusMetricsCAFile: optional(
    string({ description: 'Certificates of those who may sign clients of the metrics.' }),
  ),
  prometheusMetricsCertFile: optional(string({ description: 'Certificate with which metrics are served.' })),
  prometheusMetricsClientAuth: optional(
    oneOf(['RequireAndVerifyClientCert', 'RequireAnyClientCert', 'VerifyClientCertIfGiven', 'NoClientCert'], {
      description: 'What is asked of the certificates of clients of the metrics.',
    }),
  ),
  prometheusMetricsEnabled: optional(boolean({ description: 'Whether metrics are served.' })),
  prometheusMetricsHost: optional(string({ description: 'Address on which metrics are served.' })),
  prometheusMetricsKeyFile: optional(
    string({ description: 'Key of the certificate with which metrics are served.' }),
  ),
  prometheusMetricsPort: optional(integer({ description: 'Port on which metrics are served.' })),
  prometheusProcessMetricsEnabled: optional(
    boolean({ description: 'Whether metrics of the process are served.' }),
  ),
  prometheusWireGuardMetricsEnabled: optional(
    boolean({ description: 'Whether metrics of WireGuard are served.' }),
  ),
  reportingInterval: optional(
    duration({ description: 'How often the agent reports its own status; never when 0.' }),
  ),
  reportingTTL: optional(duration({ description: 'How long such a report is valid.' })),
  usageReportingEnabled: optional(boolean({ description: 'Whether usage may be reported to the project.' })),
  usageReportingInitialDelay: optional(
    duration({ description: 'How long the first report of usage waits.' }),
  ),
  usageReportingInterval: optional(duration({ description: 'How often usage is reported.' })),
  windowsManageFirewallRules: optional(
    oneOf(['Enabled', 'Disabled'], {
      description: 'Whether the firewall of Windows is opened for the agent.',
    }),
  ),
};
