// What travels over the agent's socket between shim and server: one line of JSON each way, then the connection ends.
// The shim passes on what the container runtime gave it and prints what it gets back; it understands little of it.

export const defaultSocketPath = '/var/run/calico/cni.sock';

/** Outlives a restart of the machine, as addresses do. */
export const defaultDeletionsPath = '/var/lib/calico/cni-deletions';

export interface ShimRequest {
  /** The name that the shim was called by: "calico" or "calico-ipam". */
  readonly program: string;
  /** The variables whose names begin with CNI_. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface ShimResponse {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Undefined for a text that is not what the shim sends: somebody else's, or one that was cut short. */
export function readShimRequest(text: string): ShimRequest | undefined {
  const { program, environment, stdin } = parse(text) as Partial<ShimRequest>;
  if (typeof program !== 'string' || typeof stdin !== 'string') return undefined;
  if (typeof environment !== 'object' || environment === null) return undefined;
  const isText = (variable: unknown) => typeof variable === 'string';
  return Object.values(environment).every(isText) ? { program, environment, stdin } : undefined;
}

/** Undefined for a text that is not what the server answers: somebody else's, or one that was cut short. */
export function readShimResponse(text: string): ShimResponse | undefined {
  const { exitCode, stdout } = parse(text) as Partial<ShimResponse>;
  if (typeof stdout !== 'string' || (exitCode !== 0 && exitCode !== 1)) return undefined;
  return { exitCode, stdout };
}

/** Nothing for what is no JSON, or null: the caller, who knows where it came from, tells what is wrong. */
function parse(text: string): object {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
