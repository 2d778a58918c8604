// YAML as Calico's users know it: block style, lists not indented under their key, long lines left whole.
import { stringify } from 'yaml';

export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false });
}
