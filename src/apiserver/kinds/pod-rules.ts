// What a Pod's spec must be, as far as it says what is run, where and under which names; in Kubernetes' words.
import { type Json, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import { labelMapFaults } from '../objects/labels.ts';
import { dnsLabelFaults, portNameFaults, portNumberFaults, subdomainFaults } from '../objects/names.ts';
import { duplicateValue, invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';

export function podFaults(pod: KubeObject): FieldFault[] {
  const spec = objectAt(pod, 'spec');
  const containers = listAt(spec, 'containers');
  const volumes = new Set(listAt(spec, 'volumes').map((volume) => stringAt(volume, 'name')));
  const nodeName = stringAt(spec, 'nodeName');
  return [
    ...(containers.length === 0 ? [requiredValue('spec.containers')] : []),
    ...containersFaults(containers, volumes, 'spec.containers'),
    ...containersFaults(listAt(spec, 'initContainers'), volumes, 'spec.initContainers'),
    ...deadlineFaults(spec.activeDeadlineSeconds),
    ...labelMapFaults(spec.nodeSelector, 'spec.nodeSelector'),
    ...(nodeName === '' ? [] : subdomainFaults(nodeName)).map((why) =>
      invalidValue('spec.nodeName', nodeName, why),
    ),
  ];
}

function containersFaults(
  containers: readonly Json[],
  volumes: ReadonlySet<string>,
  path: string,
): FieldFault[] {
  const names = new Set<string>();
  return containers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const name = stringAt(container, 'name');
    const isRepeated = names.has(name);
    names.add(name);
    return [
      ...nameFaults(name, `${at}.name`, isRepeated),
      ...imageFaults(stringAt(container, 'image'), `${at}.image`),
      ...listAt(container, 'ports').flatMap((port, place) => portFaults(port, `${at}.ports[${place}]`)),
      ...listAt(container, 'env').flatMap((variable, place) =>
        stringAt(variable, 'name') ? [] : [requiredValue(`${at}.env[${place}].name`)],
      ),
      ...listAt(container, 'volumeMounts').flatMap((mount, place) =>
        mountFaults(mount, volumes, `${at}.volumeMounts[${place}]`),
      ),
    ];
  });
}

function deadlineFaults(seconds: Json | undefined): FieldFault[] {
  if (typeof seconds !== 'number' || (seconds >= 1 && seconds < 2 ** 31)) return [];
  const why = 'must be between 1 and 2147483647, inclusive';
  return [invalidValue('spec.activeDeadlineSeconds', seconds, why)];
}

function imageFaults(image: string, field: string): FieldFault[] {
  if (image === '') return [requiredValue(field)];
  if (image === image.trim()) return [];
  return [invalidValue(field, image, 'must not have leading or trailing whitespace')];
}

function nameFaults(name: string, field: string, isRepeated: boolean): FieldFault[] {
  if (name === '') return [requiredValue(field)];
  if (isRepeated) return [duplicateValue(field, name)];
  return dnsLabelFaults(name).map((why) => invalidValue(field, name, why));
}

function portFaults(port: Json, path: string): FieldFault[] {
  const { name = '', containerPort = 0, hostPort = 0 } = objectAt(port);
  const faults =
    name === '' ? [] : portNameFaults(String(name)).map((why) => invalidValue(`${path}.name`, name, why));
  if (containerPort === 0) faults.push(requiredValue(`${path}.containerPort`));
  else faults.push(...numberFaults(Number(containerPort), `${path}.containerPort`));
  if (hostPort !== 0) faults.push(...numberFaults(Number(hostPort), `${path}.hostPort`));
  return faults;
}

function numberFaults(port: number, field: string): FieldFault[] {
  return portNumberFaults(port).map((why) => invalidValue(field, port, why));
}

function mountFaults(mount: Json, volumes: ReadonlySet<string>, path: string): FieldFault[] {
  const name = stringAt(mount, 'name');
  const faults: FieldFault[] = [];
  if (name === '') faults.push(requiredValue(`${path}.name`));
  else if (!volumes.has(name)) {
    const message = `Not found: ${JSON.stringify(name)}`;
    faults.push({ field: `${path}.name`, reason: 'FieldValueNotFound', message });
  }
  if (stringAt(mount, 'mountPath') === '') faults.push(requiredValue(`${path}.mountPath`));
  return faults;
}
