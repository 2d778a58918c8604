// The network configuration that a container runtime passes on stdin: every key that means something to us, checked.
// Keys that only upstream's own process needs (its datastore, its rate limits) are taken without a word: here the agent has
// these matters in its hands. What we do not do is refused by name rather than left out silently. Its log keys: request-log.ts.
import { CniError, cniErrorCodes, invalid } from './errors.ts';
import {
  type JsonObject,
  readBoolean,
  readCount,
  readObject,
  readString,
  readStrings,
} from './json-fields.ts';
import { type RequestLogSettings, readLogSettings } from './request-log.ts';
import { type CniVersion, impliedVersion, isSupported, supportedVersions } from './versions.ts';

export interface NetworkConfiguration {
  readonly cniVersion: CniVersion;
  /** Name of the network: the first part of IPAM handles. */
  readonly name: string;
  /** Bytes; undefined when the agent shall find out. */
  readonly mtu: number | undefined;
  /** Of each kind at each end of a pod's link; undefined for the usual. */
  readonly queues: number | undefined;
  readonly ipam: IpamConfiguration;
  readonly allowIpForwarding: boolean;
  readonly defaultRoutes: boolean;
  /** What the administrator allows pods to ask for in annotations. */
  readonly features: { readonly ipAddrsNoIpam: boolean; readonly floatingIps: boolean };
  /** The node that the configuration was written for; undefined when it does not say. */
  readonly node: string | undefined;
  /**
   * A file that must hold the node's name before pods may be set up, where it is not the agent's own; and whether it may be missing
   * all the same.
   */
  readonly nodenameFile: string | undefined;
  readonly isNodenameFileOptional: boolean;
  /** Whether the file that tells the packet size must be there before a pod is set up, where `mtu` is undefined. */
  readonly isMtuFileRequired: boolean;
  /** URLs that must answer 2xx before a pod is set up. */
  readonly readinessGates: readonly string[];
  /** How long ADD waits for the pod's policy; undefined: as long as it takes. */
  readonly policyTimeoutMs: number | undefined;
  /** Where requests are to be noted; undefined for nowhere but in the agent's own log. */
  readonly log: RequestLogSettings | undefined;
  /** Result of the plugin before us in the chain, or on CHECK and DEL that of ADD. */
  readonly previousResult: JsonObject | undefined;
  /** All of it, for plugins that we call. */
  readonly raw: JsonObject;
}

export interface IpamConfiguration {
  /** "calico-ipam", or the name of another plugin that is to be called. */
  readonly type: string;
  readonly assignIPv4: boolean;
  readonly assignIPv6: boolean;
  /** Pools by name or CIDR; any pool when empty. */
  readonly ipv4Pools: readonly string[];
  readonly ipv6Pools: readonly string[];
}

const largestMtu = 65535;
const mostQueues = 4096;
const longestTimeoutS = 3600;

/** @throws CniError with code 1, 2, 6 or 7 */
export function readConfiguration(text: string): NetworkConfiguration {
  const raw = readObject(parse(text), 'The network configuration');
  const cniVersion = readVersion(raw);
  const { name } = raw;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw invalid(`"name" is ${JSON.stringify(name)}, which is not the name of a network`);
  }
  refuseUnsupported(raw);
  const settings = readObject(raw.container_settings ?? {}, '"container_settings"');
  const features = readObject(raw.feature_control ?? {}, '"feature_control"');
  const kubernetes = readObject(raw.kubernetes ?? {}, '"kubernetes"');
  const timeoutS = readCount(
    raw.policy_setup_timeout_seconds,
    longestTimeoutS,
    '"policy_setup_timeout_seconds"',
  );
  return {
    cniVersion,
    name,
    mtu: readCount(raw.mtu, largestMtu, '"mtu"'),
    queues: readCount(raw.num_queues, mostQueues, '"num_queues"'),
    ipam: readIpam(raw),
    allowIpForwarding: readBoolean(
      settings.allow_ip_forwarding,
      false,
      '"container_settings.allow_ip_forwarding"',
    ),
    defaultRoutes: readBoolean(raw.include_default_routes, true, '"include_default_routes"'),
    features: {
      ipAddrsNoIpam: readBoolean(features.ip_addrs_no_ipam, false, '"feature_control.ip_addrs_no_ipam"'),
      floatingIps: readBoolean(features.floating_ips, false, '"feature_control.floating_ips"'),
    },
    node:
      readString(raw.nodename, '"nodename"') ??
      readString(kubernetes.node_name, '"kubernetes.node_name"') ??
      readString(kubernetes.nodeName, '"kubernetes.nodeName"'),
    nodenameFile: readString(raw.nodename_file, '"nodename_file"'),
    isNodenameFileOptional: readBoolean(raw.nodename_file_optional, false, '"nodename_file_optional"'),
    isMtuFileRequired: readBoolean(raw.require_mtu_file, false, '"require_mtu_file"'),
    readinessGates: readStrings(raw.readiness_gates, '"readiness_gates"').map(readUrl),
    policyTimeoutMs: timeoutS && timeoutS * 1000,
    log: readLogSettings(raw),
    previousResult: raw.prevResult == null ? undefined : readObject(raw.prevResult, '"prevResult"'),
    raw,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CniError(cniErrorCodes.decodingFailure, 'The network configuration on stdin is not JSON', {
      cause,
    });
  }
}

/** An empty one is an absent one, as for the reference client. */
function readVersion(raw: JsonObject): CniVersion {
  const cniVersion = raw.cniVersion === '' ? impliedVersion : (raw.cniVersion ?? impliedVersion);
  if (typeof cniVersion === 'string' && isSupported(cniVersion)) return cniVersion;
  throw new CniError(
    cniErrorCodes.incompatibleVersion,
    `CNI version ${JSON.stringify(cniVersion)} is not one of ${supportedVersions.join(', ')}`,
  );
}

function readIpam(raw: JsonObject): IpamConfiguration {
  const ipam = readObject(raw.ipam ?? {}, '"ipam"');
  const type = readString(ipam.type, '"ipam.type"') ?? 'calico-ipam';
  // It is looked up in folders of plugins: a path would lead out of them.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(type)) {
    throw invalid(`"ipam.type" is ${JSON.stringify(type)}, which is not the name of a plugin`);
  }
  return {
    type,
    assignIPv4: readBoolean(ipam.assign_ipv4, true, '"ipam.assign_ipv4"'),
    assignIPv6: readBoolean(ipam.assign_ipv6, false, '"ipam.assign_ipv6"'),
    ipv4Pools: readStrings(ipam.ipv4_pools, '"ipam.ipv4_pools"'),
    ipv6Pools: readStrings(ipam.ipv6_pools, '"ipam.ipv6_pools"'),
  };
}

/** @throws CniError, code 2, for what would make another kind of network than we do */
function refuseUnsupported({ device_type: device, dataplane_options: options }: JsonObject): void {
  // Upstream falls back to veth where the kernel makes no netkit; here that is everywhere.
  if (device !== undefined && device !== '' && device !== 'veth' && device !== 'netkit') {
    throw unsupported(`"device_type" is ${JSON.stringify(device)}; it must be "veth" or "netkit"`);
  }
  const dataplane = readObject(options ?? {}, '"dataplane_options"').type;
  if (dataplane !== undefined && dataplane !== '') {
    throw unsupported(
      `"dataplane_options.type" is ${JSON.stringify(dataplane)}; calico-node sets links up by itself`,
    );
  }
}

function unsupported(message: string): CniError {
  return new CniError(cniErrorCodes.unsupportedField, message);
}

function readUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw invalid(`"readiness_gates" has ${JSON.stringify(text)}, which is not the URL of an HTTP server`);
}
