// The revision that a request names in its query.
import { badRequest, StatusError } from '../status-error.ts';

/** 0 when it names none. @throws StatusError 500 for what is none, which is how the real server says it of a read and a watch */
export function revisionIn(query: URLSearchParams): number {
  return read(query, (fault) => new StatusError(500, '', fault));
}

/** The same for a list. @throws StatusError 400 */
export function listRevisionIn(query: URLSearchParams): number {
  return read(query, (fault) => badRequest(`invalid resource version: ${fault}`));
}

function read(query: URLSearchParams, refusal: (fault: string) => StatusError): number {
  const text = query.get('resourceVersion') || '0';
  if (/^\d+$/.test(text)) return Number(text);
  const shown = JSON.stringify(text);
  throw refusal(
    `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`,
  );
}
