// The runtime's side of the CNI protocol: runs the plugin with the variables and the stdin that the specification gives it,
// and reads its result or its error. Source: https://github.com/containernetworking/cni/blob/main/SPEC.md section 2.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Pod } from '../../resources/index.ts';

export interface CniCall {
  /** Path of the plugin's executable. */
  readonly plugin: string;
  readonly command: 'ADD' | 'DEL' | 'GC';
  /** 64 hexadecimal digits. */
  readonly containerId: string;
  /** Path of the pod's network namespace. */
  readonly namespacePath: string;
  readonly pod: Pod;
  /** The network configuration, JSON. */
  readonly configuration: string;
  /** Variables that the plugin's process has besides ours and the protocol's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts a process where the node's container runtime would: in the node's network namespace. */
  readonly spawnOnNode: <T>(start: () => T) => T;
  readonly signal: AbortSignal;
}

/** The plugin refused. Codes: section 5 of the specification; 11 means that trying again later may help. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export const tryAgainLater = 11;

/** The pod's addresses, without prefix lengths, as ADD reported them; empty for other commands. @throws CniError */
export async function callCni(call: CniCall): Promise<string[]> {
  const { namespace = 'default', name, uid = '' } = call.pod.metadata;
  const child = call.spawnOnNode(() =>
    spawn(call.plugin, [], {
      stdio: 'pipe',
      signal: call.signal,
      env: {
        ...process.env,
        ...call.environment,
        CNI_COMMAND: call.command,
        CNI_CONTAINERID: call.containerId,
        CNI_NETNS: call.namespacePath,
        CNI_IFNAME: 'eth0',
        CNI_ARGS: [
          'IgnoreUnknown=1',
          `K8S_POD_NAMESPACE=${namespace}`,
          `K8S_POD_NAME=${name}`,
          `K8S_POD_INFRA_CONTAINER_ID=${call.containerId}`,
          `K8S_POD_UID=${uid}`,
        ].join(';'),
        CNI_PATH: dirname(call.plugin),
      },
    }),
  );
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  // A plugin that ends before it has read its stdin has said why on its stdout, or with its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(call.configuration);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const what = `CNI ${call.command} of ${namespace}/${name}`;
  if (code !== 0) throw readError(what, code, stdout, stderr);
  if (call.command !== 'ADD') return [];
  const result = JSON.parse(stdout) as { ips?: { address: string }[] };
  return (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? address);
}

function readError(what: string, exit: number | string, stdout: string, stderr: string): CniError {
  try {
    const { code, msg, details } = JSON.parse(stdout) as { code: number; msg: string; details?: string };
    return new CniError(`${what} failed with code ${code}: ${msg}${details ? ` (${details})` : ''}`, code);
  } catch {
    // Not the JSON that the specification asks for: what the plugin printed is all there is to tell.
    const said = `${stdout}${stderr}`.trim();
    return new CniError(`${what} ended with ${exit}${said ? `: ${said}` : ' and said nothing'}`, 999);
  }
}
