// What travels over the agent's socket between shim and server: one line of JSON each way, then the connection ends.
// The shim passes on what the container runtime gave it and prints what it gets back; it understands none of it.

export const defaultSocketPath = '/var/run/calico/cni.sock';

export interface ShimRequest {
  /** The variables whose names begin with CNI_. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface ShimResponse {
  readonly exitCode: number;
  readonly stdout: string;
}
