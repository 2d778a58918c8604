// Options that every command knows, as the command line hands them over.

/** How errors and results of writes are told. */
export type OutputFormat = 'text' | 'json';

export interface GlobalOptions {
  /** Where the configuration is; absent for the usual place, which need not exist. */
  readonly config?: string;
  /** Only of those commands that take one; others are told by KUBECONFIG. */
  readonly kubeconfig?: string;
  /** Context of the kubeconfig. */
  readonly context?: string;
  readonly allowVersionMismatch?: boolean;
  readonly logLevel?: string;
}

/** Which objects a command is about. */
export interface NamespaceOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** Files, folders or "-" that a command reads objects from. */
export interface FileOptions {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly skipEmpty?: boolean;
}
