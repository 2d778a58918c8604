// Lists a kind in pages, so that neither side holds a huge answer, and starts again when a page's token has expired.
import { apiVersionOf, type ObjectMeta, type Resource, type ResourceKind } from '../../resources/index.ts';
import type { ListOptions } from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import { queryPath } from './api-path.ts';
import { ExpiredError } from './status-error.ts';
import type { Transport } from './transport.ts';

const pageSize = '500';

interface ListDocument<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[] | null;
}

/**
 * Calls `onPage` for each page; after an expired token, `onRestart` and then pages from the beginning. Returns the revision that
 * the whole list shows, from which a watch may go on.
 */
export async function listPages<T extends Resource>(
  transport: Transport,
  kind: ResourceKind<T>,
  options: ListOptions,
  onPage: (items: T[]) => void,
  onRestart: () => void,
): Promise<string> {
  const attempt = `Cannot list ${kind.kind} objects`;
  let token: string | undefined;
  // A list that expires once will expire again if it is as slow; the second try asks for everything at once.
  let limit: string | undefined = pageSize;
  for (;;) {
    try {
      const path = queryPath(kind, options, { limit, continue: token });
      const page = listDocument<T>(await transport.json({ method: 'GET', path, attempt }), attempt);
      onPage((page.items ?? []).map((item) => received(kind, item)));
      token = page.metadata.continue || undefined;
      if (!token) return page.metadata.resourceVersion;
    } catch (error) {
      if (!(error instanceof ExpiredError) || token === undefined) throw error;
      token = undefined;
      limit = undefined;
      onRestart();
    }
  }
}

/** What is no list must not pass for one that lacks everything. */
function listDocument<T>(answer: unknown, attempt: string): ListDocument<T> {
  const { metadata, items } = (answer ?? {}) as Partial<ListDocument<T>>;
  if (typeof metadata?.resourceVersion === 'string' && (items === null || Array.isArray(items)))
    return { metadata, items };
  throw new UnavailableError(`${attempt}: the answer is no list`);
}

/** An object as it is handed on: with its type, which items of a list lack, and without who manages which field. */
export function received<T extends Resource>(kind: ResourceKind<T>, object: T): T {
  object.apiVersion ??= apiVersionOf(kind);
  object.kind ??= kind.kind;
  const metadata: ObjectMeta & { managedFields?: unknown } = object.metadata;
  delete metadata.managedFields;
  return object;
}
