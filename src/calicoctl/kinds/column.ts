// One column of the tables that `get` prints. Values are text; what is absent is empty.
import type { Resource } from '../../resources/index.ts';
import { formatValue, readPath } from '../output/json-path.ts';

export interface Column {
  readonly heading: string;
  value(object: Resource): string;
}

/** The column that shows what lies at a path (".spec.cidr"); `otherwise` stands for what is absent. */
export function column(heading: string, path: string, otherwise = ''): Column {
  return { heading, value: (object) => formatValue(readPath(object, path)) || otherwise };
}
