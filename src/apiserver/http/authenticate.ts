// One token for the whole server, or none. It comes as a bearer token, or as the password of basic authentication: kubectl
// sends no bearer token over plain HTTP, but does send what stands in the server's URL (http://kubectl:TOKEN@127.0.0.1:PORT).
import { createHash, timingSafeEqual } from 'node:crypto';
import { StatusError } from '../status-error.ts';

/** Returns a check of the Authorization header. @throws StatusError 401 from the check, when the token is not the one */
export function authenticator(token: string | undefined): (authorization: string | undefined) => void {
  if (token === undefined) return () => {};
  // Digests have one length, so the comparison tells nothing of the token's.
  const expected = digest(token);
  return (authorization = '') => {
    if (!timingSafeEqual(digest(credentialIn(authorization)), expected)) {
      throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    }
  };
}

/** The token or password of the header; empty when there is none. */
function credentialIn(authorization: string): string {
  const [scheme = '', credential = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return credential;
  if (scheme.toLowerCase() !== 'basic') return '';
  const decoded = Buffer.from(credential, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
