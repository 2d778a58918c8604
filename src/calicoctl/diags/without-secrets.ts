// An object as it may be shown to strangers: people write passwords into what their programs are started with, and kubectl keeps a
// copy of all that they applied. Pure.
import type { ConfigMap, Resource } from '../../resources/index.ts';
import { leftOut, withoutQuotes } from './event-message.ts';

const appliedCopy = 'kubectl.kubernetes.io/last-applied-configuration';
const sensitive = /PASS|TOKEN|SECRET|CREDENTIAL|KEY/i;

type Fields = Readonly<Record<string, unknown>>;

/** `isOurs` for Calico's programs and what is said of them: their settings are what people are asked for. */
export function withoutSecrets(object: Resource, isOurs = false): Resource {
  const bare = { ...object, metadata: withoutCopy(object.metadata) };
  const { spec, status, data, message, reason } = object as Resource & { [part: string]: unknown };
  switch (object.kind) {
    case 'Pod':
      return { ...bare, ...podParts(spec, isOurs), ...(isFields(status) && statusPart(status, isOurs)) };
    case 'DaemonSet':
    case 'Deployment':
      return { ...bare, ...templatePart(spec, isOurs) };
    case 'ConfigMap':
      return { ...bare, ...(isFields(data) && { data: withoutValues(data as ConfigMap['data']) }) };
    case 'Event':
      if (isOurs || typeof message !== 'string') return bare;
      return { ...bare, ...{ message: withoutQuotes(String(reason), message) } };
    default:
      return bare;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutCopy<Metadata extends { annotations?: Record<string, string> }>(
  metadata: Metadata,
): Metadata {
  if (!metadata.annotations) return metadata;
  const annotations = { ...metadata.annotations };
  delete annotations[appliedCopy];
  return { ...metadata, annotations };
}

function podParts(spec: unknown, isOurs: boolean): { readonly spec?: Fields } {
  if (!isFields(spec)) return {};
  const cleaned: Record<string, unknown> = { ...spec };
  for (const part of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = spec[part];
    if (Array.isArray(containers)) {
      cleaned[part] = containers.map((container: Fields) => startedWith(container, isOurs));
    }
  }
  return { spec: cleaned };
}

function templatePart(spec: unknown, isOurs: boolean): { readonly spec?: Fields } {
  if (!isFields(spec) || !isFields(spec.template)) return {};
  return { spec: { ...spec, template: { ...spec.template, ...podParts(spec.template.spec, isOurs) } } };
}

/** Without what containers said when they ended, and what a runtime quotes of those that it could not start. */
function statusPart(status: Fields, isOurs: boolean): { readonly status: Fields } {
  if (isOurs) return { status };
  const cleaned: Record<string, unknown> = { ...status };
  for (const part of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']) {
    const statuses = status[part];
    if (!Array.isArray(statuses)) continue;
    cleaned[part] = statuses.map((one: Fields) => ({
      ...one,
      ...(isFields(one.state) && { state: withoutMessages(one.state) }),
      ...(isFields(one.lastState) && { lastState: withoutMessages(one.lastState) }),
    }));
  }
  return { status: cleaned };
}

function withoutMessages(state: Fields): Fields {
  return Object.fromEntries(
    Object.entries(state).map(([name, words]) => [
      name,
      isFields(words) && words.message !== undefined ? { ...words, message: leftOut } : words,
    ]),
  );
}

/** Of a ConfigMap, whose texts may be JSON. */
function withoutValues(data: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([name, text]) => [
      name,
      sensitive.test(name)
        ? leftOut
        : text.replace(/("([^"]*)"\s*:\s*)"(?:[^"\\]|\\.)*"/g, (pair, start: string, key: string) =>
            sensitive.test(key) ? `${start}"${leftOut}"` : pair,
          ),
    ]),
  );
}

function startedWith(container: Fields, isOurs: boolean): Fields {
  const cleaned: Record<string, unknown> = { ...container };
  const env = (container.env ?? []) as readonly { readonly name: string; readonly value?: string }[];
  if (env.length > 0) {
    cleaned.env = env.map((variable) =>
      variable.value === undefined || (isOurs && !sensitive.test(variable.name))
        ? variable
        : { ...variable, value: leftOut },
    );
  }
  if (isOurs) return cleaned;
  for (const name of ['command', 'args', 'lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (cleaned[name] !== undefined) cleaned[name] = leftOut;
  }
  return cleaned;
}
