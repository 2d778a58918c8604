// Label selectors as they stand in a URL: "a=b,c!=d,e in (f,g),h notin (i),j,!k".
import { fieldOf, type KubeObject } from '../json.ts';
import { badRequest } from '../status-error.ts';

type Predicate = (object: KubeObject) => boolean;

const setRequirement = /^\s*([^\s,=!()]+)\s+(in|notin)\s*\(([^()]*)\)\s*$/;
const equalityRequirement = /^\s*([^\s,=!()]+)\s*(==|=|!=)\s*([^\s,=!()]*)\s*$/;
const presenceRequirement = /^\s*(!?)\s*([^\s,=!()]+)\s*$/;

/** Returns a test for objects; one that lets everything pass for an empty text. @throws StatusError 400 */
export function parseLabelSelector(text: string): Predicate {
  if (text.trim() === '') return () => true;
  // Commas inside of parentheses do not end a requirement.
  const tests = text.split(/,(?![^(]*\))/).map((part) => parseRequirement(part, text));
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

type Labels = { readonly [key: string]: string };

function parseRequirement(part: string, whole: string): (labels: Labels) => boolean {
  const set = setRequirement.exec(part);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set<string | undefined>(list.split(',').map((value) => value.trim()));
    const isIn = (labels: Labels) => values.has(fieldOf(labels, key));
    return operator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const equality = equalityRequirement.exec(part);
  if (equality) {
    const [, key = '', operator, value] = equality;
    return operator === '!='
      ? (labels) => fieldOf(labels, key) !== value
      : (labels) => fieldOf(labels, key) === value;
  }
  const presence = presenceRequirement.exec(part);
  if (!presence)
    throw badRequest(`unable to parse requirement: "${part.trim()}" in label selector "${whole}"`);
  const [, not, key = ''] = presence;
  return (labels) => (fieldOf(labels, key) === undefined) === (not === '!');
}
