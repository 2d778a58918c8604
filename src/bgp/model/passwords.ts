// Passwords of sessions, out of Secrets. A session whose password cannot be had is not set up: without one it would be open.
import type { Secret } from '../../resources/index.ts';

export interface PasswordReference {
  readonly secretKeyRef?: { readonly name?: string; readonly key: string; readonly optional?: boolean };
}

/** The kernel's bound for TCP MD5 signatures (TCP_MD5SIG_MAXKEYLEN). */
const longestPassword = 80;

/** Nothing when none is wanted, or when an optional one is missing; a fault in words when it cannot be used. */
export type Password = { readonly password?: string } | { readonly fault: string };

export class Passwords {
  readonly #secrets: ReadonlyMap<string, Secret>;
  readonly #namespace: string;

  constructor(secrets: Iterable<Secret>, namespace: string) {
    this.#namespace = namespace;
    this.#secrets = new Map(
      [...secrets]
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map((secret) => [secret.metadata.name, secret]),
    );
  }

  find(reference: PasswordReference | undefined): Password {
    const wanted = reference?.secretKeyRef;
    if (!wanted) return {};
    const name = wanted.name ?? '';
    const secret = this.#secrets.get(name);
    const encoded = secret?.data?.[wanted.key];
    if (encoded === undefined) {
      if (wanted.optional) return {};
      const what = secret ? `has no key "${wanted.key}"` : 'does not exist';
      return { fault: `the Secret "${this.#namespace}/${name}" of its password ${what}` };
    }
    const password = Buffer.from(encoded, 'base64').toString();
    const fault = faultOf(password);
    return fault ? { fault: `the password in Secret "${this.#namespace}/${name}" ${fault}` } : { password };
  }
}

/** Says nothing of the password itself. */
function faultOf(password: string): string | undefined {
  if (password === '') return 'is empty';
  if (Buffer.byteLength(password) > longestPassword) return `is longer than ${longestPassword} bytes`;
  if (/[\r\n]$/.test(password)) return 'ends in a line break; was it made from a file?';
  // BIRD's strings know no escapes.
  return /["\p{Cc}]/u.test(password)
    ? 'holds a quote or a control character, which BIRD cannot take'
    : undefined;
}
