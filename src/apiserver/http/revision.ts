// The revision that a request names in its query.
import { badRequest, StatusError } from '../status-error.ts';

/** 0 when it names none. @throws StatusError 500 for what is none, which is how the real server says it of a read and a watch */
export function revisionIn(query: URLSearchParams): number {
  const text = query.get('resourceVersion') || '0';
  if (/^\d+$/.test(text)) return Number(text);
  throw new StatusError(500, '', faultOf(text));
}

/** The same for a list. @throws StatusError 400 */
export function listRevisionIn(query: URLSearchParams): number {
  const text = query.get('resourceVersion') || '0';
  if (/^\d+$/.test(text)) return Number(text);
  throw badRequest(`invalid resource version: ${faultOf(text)}`);
}

function faultOf(text: string): string {
  const shown = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`;
}
