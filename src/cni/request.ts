// Reads what the container runtime asked, and refuses what the specification does not allow, with its error codes.
// Source: https://github.com/containernetworking/cni/blob/main/SPEC.md sections 1 to 3.
import { CniError, cniErrorCodes } from './errors.ts';
import { type CniVersion, impliedVersion, isSupported, supportedVersions } from './versions.ts';
import type { ShimRequest } from './wire.ts';

export interface NetworkConfiguration {
  readonly cniVersion: CniVersion;
  /** Name of the network: the first part of IPAM handles. */
  readonly name: string;
  /** Bytes; undefined or 0 when the agent shall find out. */
  readonly mtu: number | undefined;
  readonly assignIPv4: boolean;
  readonly assignIPv6: boolean;
  /** Pools by name or CIDR; any pool when empty. */
  readonly ipv4Pools: readonly string[];
  readonly ipv6Pools: readonly string[];
  readonly allowIpForwarding: boolean;
}

export interface CniRequest {
  readonly command: 'ADD' | 'DEL';
  readonly configuration: NetworkConfiguration;
  readonly containerId: string;
  /** Path of the pod's network namespace; on DEL it may be empty, or lead nowhere. */
  readonly namespacePath: string;
  /** Name of the interface in the pod. */
  readonly interfaceName: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string | undefined };
}

/** @throws CniError */
export function readRequest({ environment, stdin }: ShimRequest): CniRequest {
  const configuration = readConfiguration(stdin);
  const command = environment.CNI_COMMAND;
  if (command !== 'ADD' && command !== 'DEL') {
    throw new CniError(
      cniErrorCodes.invalidEnvironment,
      `CNI_COMMAND is "${command ?? ''}"; it must be ADD, DEL or VERSION`,
    );
  }
  const containerId = required(environment, 'CNI_CONTAINERID', /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
  const interfaceName = required(environment, 'CNI_IFNAME', /^(?!\.{1,2}$)[^\s/:]{1,15}$/);
  const namespacePath =
    command === 'ADD' ? required(environment, 'CNI_NETNS', /^\//) : (environment.CNI_NETNS ?? '');
  const args = readArguments(environment.CNI_ARGS ?? '');
  const namespace = args.get('K8S_POD_NAMESPACE');
  const name = args.get('K8S_POD_NAME');
  if (!namespace || !name) {
    throw new CniError(
      cniErrorCodes.invalidEnvironment,
      'CNI_ARGS names no K8S_POD_NAMESPACE and K8S_POD_NAME',
    );
  }
  const uid = args.get('K8S_POD_UID') || undefined;
  return { command, configuration, containerId, namespacePath, interfaceName, pod: { namespace, name, uid } };
}

function required(environment: ShimRequest['environment'], name: string, form: RegExp): string {
  const value = environment[name] ?? '';
  if (form.test(value)) return value;
  throw new CniError(
    cniErrorCodes.invalidEnvironment,
    value === '' ? `${name} is missing` : `${name} is "${value}", which is not of the form ${form.source}`,
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

function readConfiguration(text: string): NetworkConfiguration {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CniError(cniErrorCodes.decodingFailure, 'The network configuration on stdin is not JSON', {
      cause,
    });
  }
  const root = objectAt(json, 'The network configuration');
  const cniVersion = root.cniVersion ?? impliedVersion;
  if (typeof cniVersion !== 'string' || !isSupported(cniVersion)) {
    throw new CniError(
      cniErrorCodes.incompatibleVersion,
      `CNI version "${cniVersion}" is not one of ${supportedVersions.join(', ')}`,
    );
  }
  const ipam = objectAt(root.ipam ?? {}, '"ipam"');
  const settings = objectAt(root.container_settings ?? {}, '"container_settings"');
  const { name, mtu } = root;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw invalid(`"name" is ${JSON.stringify(name)}, which is not the name of a network`);
  }
  if (mtu !== undefined && (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 0 || mtu > 65535)) {
    throw invalid(`"mtu" is ${JSON.stringify(mtu)}, which is not a number of bytes`);
  }
  if (ipam.type !== undefined && ipam.type !== 'calico-ipam') {
    throw invalid(
      `"ipam.type" is ${JSON.stringify(ipam.type)}; this plugin takes addresses from "calico-ipam"`,
    );
  }
  return {
    cniVersion,
    name,
    mtu: typeof mtu === 'number' && mtu > 0 ? mtu : undefined,
    assignIPv4: readBoolean(ipam.assign_ipv4, true, '"ipam.assign_ipv4"'),
    assignIPv6: readBoolean(ipam.assign_ipv6, false, '"ipam.assign_ipv6"'),
    ipv4Pools: readStrings(ipam.ipv4_pools, '"ipam.ipv4_pools"'),
    ipv6Pools: readStrings(ipam.ipv6_pools, '"ipam.ipv6_pools"'),
    allowIpForwarding: readBoolean(
      settings.allow_ip_forwarding,
      false,
      '"container_settings.allow_ip_forwarding"',
    ),
  };
}

function invalid(message: string): CniError {
  return new CniError(cniErrorCodes.invalidConfiguration, message);
}

function objectAt(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(`${what} is not an object`);
}

/** Upstream writes its booleans as strings. */
function readBoolean(value: unknown, otherwise: boolean, what: string): boolean {
  if (value === undefined) return otherwise;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalid(`${what} is ${JSON.stringify(value)}; it must be "true" or "false"`);
}

function readStrings(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw invalid(`${what} is not a list of strings`);
}
