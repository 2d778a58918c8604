// An object as it may be shown to strangers: people write passwords into what their programs are started with, and kubectl keeps a
// copy of all that they applied. Pure.
import type { Resource } from '../../resources/index.ts';

const leftOut = '(left out)';
const appliedCopy = 'kubectl.kubernetes.io/last-applied-configuration';
const sensitive = /PASS|TOKEN|SECRET|CREDENTIAL|KEY/i;

type Fields = Readonly<Record<string, unknown>>;

/** `isOurs` for pods of Calico's programs, whose settings are what people are asked for. */
export function withoutSecrets(object: Resource, isOurs = false): Resource {
  const { annotations } = object.metadata;
  const kept = { ...annotations };
  delete kept[appliedCopy];
  const metadata = { ...object.metadata, ...(annotations && { annotations: kept }) };
  const spec = Reflect.get(object, 'spec') as Fields | undefined;
  if (object.kind !== 'Pod' || !spec) return { ...object, metadata };
  const cleaned: Record<string, unknown> = { ...spec };
  for (const part of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = spec[part];
    if (Array.isArray(containers)) {
      cleaned[part] = containers.map((container: Fields) => startedWith(container, isOurs));
    }
  }
  return { ...object, metadata, spec: cleaned } as Resource;
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
