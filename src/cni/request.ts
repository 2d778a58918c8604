// Reads what the container runtime asked, and refuses what the specification does not allow, with its error codes.
// Source: https://github.com/containernetworking/cni/blob/main/SPEC.md sections 1 to 3.
import { tryParseAddress } from '../net/index.ts';
import type { Attachment } from './attachment.ts';
import { type NetworkConfiguration, readConfiguration } from './configuration.ts';
import { CniError, cniErrorCodes, invalid } from './errors.ts';
import { isObject, readObject } from './json-fields.ts';
import { type CniVersion, isAtLeast } from './versions.ts';
import type { ShimRequest } from './wire.ts';

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  /** Undefined when the runtime does not say. */
  readonly uid: string | undefined;
}

/** ADD, DEL and CHECK: about one container's interface. */
export interface AttachmentRequest {
  readonly command: 'ADD' | 'DEL' | 'CHECK';
  readonly configuration: NetworkConfiguration;
  readonly containerId: string;
  /** Path of the pod's network namespace; on DEL it may be empty, or lead nowhere. */
  readonly namespacePath: string;
  /** Name of the interface in the pod. */
  readonly interfaceName: string;
  /** Undefined when the runtime names none, which only `calico-ipam` can do with. */
  readonly pod: PodIdentity | undefined;
  /** Address that the runtime itself wants (CNI_ARGS "IP="); undefined for any. */
  readonly wantedAddress: string | undefined;
  /** As the runtime gave them to us, for plugins that we call. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface GarbageRequest {
  readonly command: 'GC';
  readonly configuration: NetworkConfiguration;
  /** All that there should be; what else there is of this network goes. */
  readonly valid: readonly Omit<Attachment, 'network'>[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface StatusRequest {
  readonly command: 'STATUS';
  readonly configuration: NetworkConfiguration;
  readonly environment: Readonly<Record<string, string>>;
}

/** GC as it came: without a list nothing is known to be garbage. */
export interface UnlistedGarbageRequest extends Omit<GarbageRequest, 'valid'> {
  readonly valid: GarbageRequest['valid'] | undefined;
}

export type CniRequest = AttachmentRequest | UnlistedGarbageRequest | StatusRequest;

/** Since which version of the specification a command is part of it. */
const since: Readonly<Record<CniRequest['command'], CniVersion>> = {
  ADD: '0.1.0',
  DEL: '0.1.0',
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
};

/** @throws CniError */
export function readRequest({ environment, stdin }: Omit<ShimRequest, 'program'>): CniRequest {
  const command = readCommand(environment.CNI_COMMAND);
  const configuration = readConfiguration(stdin);
  if (!isAtLeast(configuration.cniVersion, since[command])) {
    throw new CniError(
      cniErrorCodes.incompatibleVersion,
      `CNI version "${configuration.cniVersion}" has no ${command}; it came with ${since[command]}`,
    );
  }
  if (command === 'STATUS') return { command, configuration, environment };
  if (command === 'GC') {
    return { command, configuration, environment, valid: readValidAttachments(configuration) };
  }
  if (command === 'CHECK' && !configuration.previousResult) {
    throw invalid('"prevResult" is missing; CHECK needs to know what ADD answered');
  }
  const args = readArguments(environment.CNI_ARGS ?? '');
  return {
    command,
    configuration,
    environment,
    containerId: required(environment, 'CNI_CONTAINERID', /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/),
    interfaceName: readInterfaceName(environment),
    namespacePath:
      command === 'DEL' ? (environment.CNI_NETNS ?? '') : required(environment, 'CNI_NETNS', /^\//),
    pod: readPod(args),
    wantedAddress: readAddress(args.get('IP')),
  };
}

function readCommand(command = ''): CniRequest['command'] {
  if (Object.hasOwn(since, command)) return command as CniRequest['command'];
  throw new CniError(
    cniErrorCodes.invalidEnvironment,
    `CNI_COMMAND is "${command}"; it must be ${Object.keys(since).join(', ')} or VERSION`,
  );
}

function required(environment: ShimRequest['environment'], name: string, form: RegExp): string {
  const value = environment[name] ?? '';
  if (form.test(value)) return value;
  throw new CniError(
    cniErrorCodes.invalidEnvironment,
    value === '' ? `${name} is missing` : `${name} is "${value}", which is not of the form ${form.source}`,
  );
}

const longestNameBytes = 15;

/**
 * What the kernel takes for a link's name (dev_valid_name in net/core/dev.c): to it the byte 0xa0 is a space, a "%" begins a pattern,
 * and the two words are the names of settings for all links (sysctl_dev_name_is_allowed in include/linux/inetdevice.h).
 */
function readInterfaceName(environment: ShimRequest['environment']): string {
  const name = required(environment, 'CNI_IFNAME', /^(?!(?:\.{1,2}|all|default)$)[^\s/:%]+$/);
  const bytes = Buffer.from(name);
  if (bytes.length <= longestNameBytes && !bytes.includes(0xa0)) return name;
  throw new CniError(
    cniErrorCodes.invalidEnvironment,
    `CNI_IFNAME is "${name}", which no link can be called: a name has at most ${longestNameBytes} bytes of UTF-8, none of them 0xa0`,
  );
}

/** "A=1;B=2" */
function readArguments(text: string): Map<string, string> {
  return new Map(
    text
      .split(';')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function readAddress(text = ''): string | undefined {
  if (text === '') return undefined;
  if (tryParseAddress(text)) return text;
  throw new CniError(cniErrorCodes.invalidEnvironment, `CNI_ARGS has IP="${text}", which is not an address`);
}

function readPod(args: ReadonlyMap<string, string>): PodIdentity | undefined {
  const namespace = args.get('K8S_POD_NAMESPACE');
  const name = args.get('K8S_POD_NAME');
  if (!namespace || !name) return undefined;
  return { namespace, name, uid: args.get('K8S_POD_UID') || undefined };
}

function readValidAttachments({ raw }: NetworkConfiguration): UnlistedGarbageRequest['valid'] {
  const attachments = raw['cni.dev/valid-attachments'];
  // Absent is not the same as empty: taking everything away must have been asked for. The reference client leaves the list
  // out when it has taken everything down by DEL already.
  if (attachments === undefined || attachments === null) return undefined;
  if (!Array.isArray(attachments)) {
    throw invalid('"cni.dev/valid-attachments" is not a list; GC would not know what to keep');
  }
  return attachments.map((attachment: unknown) => {
    const { containerID, ifname } = readObject(attachment, 'An entry of "cni.dev/valid-attachments"');
    if (typeof containerID === 'string' && typeof ifname === 'string') {
      return { containerId: containerID, interfaceName: ifname };
    }
    throw invalid('An entry of "cni.dev/valid-attachments" has no "containerID" and "ifname"');
  });
}

/** The version that the runtime speaks, as far as it can be told from a configuration that may be broken. */
export function versionIn(stdin: string, otherwise: string): string {
  try {
    const json: unknown = JSON.parse(stdin);
    return isObject(json) && typeof json.cniVersion === 'string' ? json.cniVersion || otherwise : otherwise;
  } catch {
    // Not JSON: the error that is being reported says so.
    return otherwise;
  }
}
