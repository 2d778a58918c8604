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
