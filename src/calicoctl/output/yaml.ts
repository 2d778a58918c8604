// YAML as Calico's users know it: block style, lists not indented under their key, long lines left whole, and quotes around
// what a reader of YAML 1.1, such as kubectl, would take for something else than a text ("off", "1:30").
import { stringify } from 'yaml';

export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false });
}
