// Addresses from another IPAM plugin, such as host-local: its executable is run as the specification's section 4 says, with our
// own request and the network configuration, in which the node's own pod CIDRs stand where it says "usePodCidr".
import { spawn } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { formatAddress, parseAddress, tryParseAddress } from '../../net/index.ts';
import { ScarcityError, startProgram } from '../../process/index.ts';
import { CniError, cniErrorCodes, invalid } from '../errors.ts';
import { isObject, type JsonObject } from '../json-fields.ts';
import type { AttachmentRequest, CniRequest, GarbageRequest, StatusRequest } from '../request.ts';
import { addressesIn } from '../result.ts';
import { type CniVersion, isAtLeast } from '../versions.ts';
import type { AddressPlugin, AddressWishes } from './address-plugin.ts';

export interface DelegatedIpamOptions {
  /** The node's `spec.podCIDRs`. */
  readonly podCidrs: () => Promise<readonly string[]>;
  /** Where plugins are, besides where the runtime says. */
  readonly folders: readonly string[];
}

type Command = CniRequest['command'] | 'VERSION';

/** A plugin that takes longer is ended: it holds a lock that others wait for. */
const deadlineMs = 60_000;

/** What upstream writes for the node's own CIDRs, in lower case. */
const tokens = { usepodcidr: 4, usepodcidripv6: 6 } as const;

const everyCidr = ['0.0.0.0/0', '::/0'];

export class DelegatedIpam implements AddressPlugin {
  readonly #options: DelegatedIpamOptions;

  constructor(options: DelegatedIpamOptions) {
    this.#options = options;
  }

  /** The caller releases what there is after an error. */
  async assign(request: AttachmentRequest, { addresses: wanted }: AddressWishes): Promise<string[]> {
    const { type } = request.configuration.ipam;
    // The runtime's word goes before the pod's, and is in the variables already.
    if (request.wantedAddress || wanted.length === 0) {
      const given = await this.#ask(request);
      const asked = request.wantedAddress ? formatAddress(parseAddress(request.wantedAddress)) : undefined;
      if (asked === undefined || given.includes(asked)) return given;
      throw otherGiven(type, asked, given);
    }
    const given = new Set<string>();
    for (const address of wanted) {
      // One that knows of lists has given all of them at once.
      if (given.has(address)) continue;
      for (const one of await this.#ask(asking(request, address, wanted))) given.add(one);
      if (!given.has(address)) throw otherGiven(type, address, given);
    }
    // What else a plugin chose, of another family, is none that the pod asked for; it is released with the rest.
    return [...wanted];
  }

  async release(request: AttachmentRequest): Promise<void> {
    await this.#call('DEL', request);
  }

  async check(request: AttachmentRequest): Promise<void> {
    await this.#call('CHECK', request);
  }

  async collectGarbage(request: GarbageRequest): Promise<void> {
    if (await this.#knows('1.1.0', request)) await this.#call('GC', request);
  }

  async status(request: StatusRequest): Promise<void> {
    if (await this.#knows('1.1.0', request)) await this.#call('STATUS', request);
  }

  /** What the plugin gives, at least one address, as canonical text. */
  async #ask(request: AttachmentRequest): Promise<string[]> {
    const { type } = request.configuration.ipam;
    const output = await this.#call('ADD', request);
    const result: unknown = JSON.parse(output);
    const addresses = (isObject(result) ? addressesIn(result) : []).map(tryParseAddress);
    if (addresses.length > 0 && addresses.every((address) => address !== undefined)) {
      return addresses.map(formatAddress);
    }
    throw new CniError(cniErrorCodes.failed, `IPAM plugin "${type}" answered without addresses: ${output}`);
  }

  /** Older plugins have no GC and no STATUS, and say so when they are asked for their versions. */
  async #knows(version: CniVersion, request: CniRequest): Promise<boolean> {
    const answer: unknown = JSON.parse(await this.#call('VERSION', request));
    const versions = isObject(answer) ? answer.supportedVersions : undefined;
    return Array.isArray(versions) && versions.includes(version);
  }

  async #call(command: Command, request: CniRequest): Promise<string> {
    const { type } = request.configuration.ipam;
    // Before the plugin is started: it would wait on its stdin for what may not be had.
    const configuration = await this.#configuration(command, request);
    const program = this.#find(request);
    const child = await startProgram(() =>
      spawn(program, [], {
        stdio: 'pipe',
        env: { PATH: process.env.PATH, ...request.environment, CNI_COMMAND: command },
        signal: AbortSignal.timeout(deadlineMs),
      }),
    ).catch((cause: Error) => {
      const code = cause instanceof ScarcityError ? cniErrorCodes.tryAgainLater : cniErrorCodes.failed;
      throw new CniError(code, `Cannot run IPAM plugin "${type}": ${cause.message}`, { cause });
    });
    const ended = new Promise<number | string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
    });
    // A plugin that ends before it has read its stdin has said why on its stdout.
    child.stdin.on('error', () => {});
    child.stdin.end(configuration);
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code === 0) return stdout;
    throw refusal(`IPAM plugin "${type}" refused ${command} with ${code}`, stdout || stderr);
  }

  /** What is released is found by its container: a node that is gone from the cluster must not keep its pods from ending. */
  async #podCidrs(command: Command): Promise<readonly string[]> {
    return command === 'DEL' ? everyCidr : this.#options.podCidrs();
  }

  #find({ configuration, environment }: CniRequest): string {
    const { type } = configuration.ipam;
    const folders = [...(environment.CNI_PATH ?? '').split(':').filter(Boolean), ...this.#options.folders];
    const paths = folders.map((folder) => join(folder, type));
    const found = paths.find((path) => existsSync(path));
    if (found) return found;
    const link = paths.map(linkAt).find((one) => one !== undefined);
    if (link) {
      throw invalid(
        `"ipam.type" is "${type}", and ${link.path} is a link to ${link.target}, which is not to be seen inside calico-node's container: ` +
          `put a copy of the plugin in the link's place, on the node and in the folder of its CNI plugins: cp --remove-destination "$(readlink -f ${type})" ${type}`,
      );
    }
    throw invalid(`"ipam.type" is "${type}", and there is no such plugin in ${folders.join(', ')}`);
  }

  async #configuration(command: Command, { configuration }: CniRequest): Promise<string> {
    const { raw, previousResult } = configuration;
    const isNew = command === 'GC' || command === 'STATUS';
    // Plugins that know 1.1.0 know 1.0.0 as well, and what IPAM answers is the same in both.
    const isAsAsked = isNew || !isAtLeast(configuration.cniVersion, '1.0.0');
    const cniVersion = isAsAsked ? configuration.cniVersion : '1.0.0';
    const ipam = isObject(raw.ipam) ? raw.ipam : {};
    const needsCidrs = /"usepodcidr(ipv6)?"/i.test(JSON.stringify(ipam));
    return JSON.stringify({
      ...raw,
      cniVersion,
      // It says its version too, and must not be newer than what it is in.
      ...(previousResult && { prevResult: { ...previousResult, cniVersion } }),
      ipam: needsCidrs ? withPodCidrs(ipam, await this.#podCidrs(command)) : ipam,
    });
  }
}

function linkAt(path: string): { readonly path: string; readonly target: string } | undefined {
  try {
    return { path, target: readlinkSync(path) };
  } catch {
    // Nothing there, or nothing that leads elsewhere.
    return undefined;
  }
}

/**
 * The request with an address that the plugin is to give. All of them are in the configuration as well: a plugin that has a range
 * for each family, such as host-local, gives one of each at once and nothing to the same container afterwards.
 * Source: https://github.com/containernetworking/cni/blob/main/CONVENTIONS.md, "CNI_ARGS" and "args" in the network configuration
 */
function asking(request: AttachmentRequest, address: string, all: readonly string[]): AttachmentRequest {
  const { configuration, environment } = request;
  const { raw } = configuration;
  const CNI_ARGS = [environment.CNI_ARGS, `IP=${address}`].filter(Boolean).join(';');
  const asked = { ...request, environment: { ...environment, CNI_ARGS } };
  if (all.length === 1) return asked;
  const args = isObject(raw.args) ? raw.args : {};
  const cni = { ...(isObject(args.cni) && args.cni), ips: all };
  return { ...asked, configuration: { ...configuration, raw: { ...raw, args: { ...args, cni } } } };
}

function otherGiven(type: string, asked: string, given: Iterable<string>): CniError {
  return new CniError(
    cniErrorCodes.failed,
    `IPAM plugin "${type}" was asked for ${asked} and gave ${[...given].join(', ')}`,
  );
}

/** Puts the node's CIDRs in the places of the tokens: in `subnet`, in `ranges`, and what other plugins have. */
function withPodCidrs(value: unknown, cidrs: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry) => withPodCidrs(entry, cidrs));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withPodCidrs(entry, cidrs)]));
  }
  const token = typeof value === 'string' ? value.toLowerCase() : '';
  if (!Object.hasOwn(tokens, token)) return value;
  const family = tokens[token as keyof typeof tokens];
  const cidr = cidrs.find((candidate) => candidate.includes(':') === (family === 6));
  if (cidr) return cidr;
  throw new CniError(
    cniErrorCodes.tryAgainLater,
    `The network configuration wants the node's IPv${family} pod CIDR ("${value}"), and the node has none yet`,
  );
}

function refusal(what: string, output: string): CniError {
  try {
    const { code, msg, details }: JsonObject = JSON.parse(output);
    if (typeof code === 'number') return new CniError(code, `${what}: ${msg} ${details ?? ''}`.trimEnd());
  } catch {
    // Not the JSON that the specification asks for: what was printed is all there is to tell.
  }
  return new CniError(cniErrorCodes.failed, `${what}: ${output.trim()}`);
}
