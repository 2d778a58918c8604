// Kubernetes' URL functions: isURL(), url() and the parts of a URL.
// Source: https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#URLs. A URL is absolute, or a path that starts at the root.
import type { Environment } from '@marcbachmann/cel-js';
import type { Comparable } from '../equal.ts';
import { noResult } from '../fault.ts';

/** RFC 3986, appendix B, narrowed to what may stand in a request: no fragment. */
const shape = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/i;
/** User information, a name, an IPv4 address or a bracketed IPv6 one, a port. */
const authorityShape = /^(?:[^@]*@)?((\[[0-9a-f:.%]+\]|[^[\]:@]*)(?::(\d*))?)$/i;

class Url implements Comparable {
  readonly scheme: string;
  /** With port. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;

  constructor(parts: Omit<Url, 'equals' | 'text'>) {
    this.scheme = parts.scheme;
    this.host = parts.host;
    this.hostname = parts.hostname;
    this.port = parts.port;
    this.path = parts.path;
    this.query = parts.query;
  }

  get text(): string {
    const front = this.scheme && `${this.scheme}:`;
    const authority = this.host && `//${this.host}`;
    return `${front}${authority}${this.path}${this.query && `?${this.query}`}`;
  }

  equals(other: unknown): boolean {
    return other instanceof Url && other.text === this.text;
  }
}

export function registerUrls(environment: Environment): void {
  const method = (signature: string, handler: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, handler, { async: false });
  environment
    .registerType('kubernetes.URL', { ctor: Url })
    .registerOperator('kubernetes.URL == kubernetes.URL', (a: Url, b: Url) => a.equals(b));
  method('isURL(string): bool', (text: string) => tryParse(text) !== undefined);
  method('url(string): kubernetes.URL', (text: string) => {
    const url = tryParse(text);
    if (!url) throw noResult(`URL parse error during conversion from string: "${text}"`);
    return url;
  });
  method('string(kubernetes.URL): string', (url: Url) => url.text);
  method('kubernetes.URL.getScheme(): string', (url: Url) => url.scheme);
  method('kubernetes.URL.getHost(): string', (url: Url) => url.host);
  method('kubernetes.URL.getHostname(): string', (url: Url) => url.hostname.replace(/^\[|\]$/g, ''));
  method('kubernetes.URL.getPort(): string', (url: Url) => url.port);
  method('kubernetes.URL.getEscapedPath(): string', (url: Url) => encodeURI(decodeSafely(url.path)));
  method(
    'kubernetes.URL.getQuery(): map<string, list<string>>',
    (url: Url) =>
      new Map([...new URLSearchParams(url.query)].map(([key]) => [key, valuesOf(url.query, key)])),
  );
}

function valuesOf(query: string, key: string): string[] {
  return new URLSearchParams(query).getAll(key);
}

/** A stray "%" has no decoded form; the path is then taken as it stands. */
function decodeSafely(path: string): string {
  try {
    return decodeURI(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

function tryParse(text: string): Url | undefined {
  const [, scheme = '', authority, path = '', query = ''] = shape.exec(text) ?? [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused here.
  if (/[\x00-\x20\x7f]/.test(text) || !(scheme || path.startsWith('/'))) return undefined;
  const [, host = '', hostname = '', port = ''] = authorityShape.exec(authority ?? '') ?? [];
  if (authority && !host) return undefined;
  return new Url({ scheme: scheme.toLowerCase(), host, hostname, port, path, query });
}
