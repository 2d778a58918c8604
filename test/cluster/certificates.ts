// The cluster's certificate authority and what it signs, made with openssl; good for as long as a test run, and worthless elsewhere.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** Paths of PEM files. */
  readonly certificate: string;
  readonly key: string;
}

const days = '2';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

export class CertificateAuthority {
  readonly certificate: string;
  readonly #folder: string;
  readonly #key: string;

  /** @throws Error when openssl 3 is missing */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.certificate = join(folder, 'ca.crt');
    this.#key = join(folder, 'ca.key');
    openssl([
      'req',
      '-x509',
      ...newKey,
      ...['-days', days, '-subj', '/CN=cluster-under-test'],
      ...['-keyout', this.#key, '-out', this.certificate],
    ]);
  }

  /** `groups` become the user's groups in Kubernetes, `names` is for servers: "IP:127.0.0.1", "DNS:localhost". */
  issue(
    file: string,
    name: string,
    groups: readonly string[] = [],
    names: readonly string[] = [],
  ): Certificate {
    const issued = { certificate: join(this.#folder, `${file}.crt`), key: join(this.#folder, `${file}.key`) };
    const subject = [...groups.map((group) => `/O=${group}`), `/CN=${name}`].join('');
    openssl([
      'req',
      '-x509',
      ...newKey,
      ...['-CA', this.certificate, '-CAkey', this.#key],
      ...['-days', days, '-subj', subject],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', 'extendedKeyUsage=clientAuth,serverAuth'],
      ...(names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : []),
      ...['-keyout', issued.key, '-out', issued.certificate],
    ]);
    return issued;
  }

  /** A key that signs tokens of service accounts. */
  signingKey(file: string): string {
    const path = join(this.#folder, `${file}.key`);
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path]);
    return path;
  }
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
