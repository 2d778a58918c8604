// What names may be: those of objects, of labels, of ports, of keys. What is wrong is said in Kubernetes' words; nothing is said when
// nothing is wrong.

const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Kubernetes' words for what a text must look like. */
function rule(words: string, pattern: RegExp, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(',  or ');
  return `${words} (e.g. ${shown}, regex used for validation is '${pattern.source.slice(1, -1)}')`;
}

const nameWords =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const nameRule = rule(nameWords, namePart, ['MyName', 'my.name', '123-abc']);
const valueRule = rule(
  `a valid label must be an empty string or consist of ${nameWords.slice('must consist of '.length)}`,
  /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  ['MyValue', 'my_value', '12345'],
);
const dnsLabelRule = rule(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  dnsLabel,
  ['my-name', '123-abc'],
);
const serviceNameRule = rule(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  serviceName,
  ['my-name', 'abc-123'],
);
const subdomainRule = rule(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain,
  ['example.com'],
);

/** What is wrong with a DNS subdomain such as "example.com". */
export function subdomainFaults(text: string): string[] {
  return [
    ...(text.length > 253 ? ['must be no more than 253 characters'] : []),
    ...(subdomain.test(text) ? [] : [subdomainRule]),
  ];
}

/** What is wrong with a DNS label such as "my-name". */
export function dnsLabelFaults(text: string): string[] {
  return [
    ...(text.length > 63 ? ['must be no more than 63 characters'] : []),
    ...(dnsLabel.test(text) ? [] : [subdomain.test(text) ? 'must not contain dots' : dnsLabelRule]),
  ];
}

/** What is wrong with a service's name, which starts with a letter. */
export function serviceNameFaults(text: string): string[] {
  return [
    ...(text.length > 63 ? ['must be no more than 63 characters'] : []),
    ...(serviceName.test(text) ? [] : [serviceNameRule]),
  ];
}

/** What is wrong with a qualified name such as "example.com/role". */
export function keyFaults(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${nameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const faults = parts.length === 2 ? prefixFaults(parts[0] ?? '') : [];
  if (name === '') faults.push('name part must be non-empty');
  if (name.length > 63) faults.push('name part must be no more than 63 characters');
  if (!namePart.test(name)) faults.push(`name part ${nameRule}`);
  return faults;
}

function prefixFaults(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return subdomainFaults(prefix).map((fault) => `prefix part ${fault}`);
}

/** What is wrong with a label's value. */
export function labelValueFaults(value: string): string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 characters'] : []),
    ...(value === '' || namePart.test(value) ? [] : [valueRule]),
  ];
}

const portCharacters = /^[-a-z0-9]+$/;

/** What is wrong with a port's name such as "web". */
export function portNameFaults(text: string): string[] {
  return [
    ...(text.length > 15 ? ['must be no more than 15 characters'] : []),
    ...(portCharacters.test(text)
      ? []
      : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ...(/[a-z]/.test(text) ? [] : ['must contain at least one letter (a-z)']),
    ...(text.includes('--') ? ['must not contain consecutive hyphens'] : []),
    ...(/^-|-$/.test(text) ? ['must not begin or end with a hyphen'] : []),
  ];
}

const dataKey = /^[-._a-zA-Z0-9]+$/;
const dataKeyRule = rule(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  dataKey,
  ['key.name', 'KEY_NAME', 'key-name'],
);

/** What is wrong with a key of a ConfigMap or Secret. */
export function dataKeyFaults(text: string): string[] {
  return [
    ...(text.length > 253 ? ['must be no more than 253 characters'] : []),
    ...(dataKey.test(text) ? [] : [dataKeyRule]),
    ...(text === '.' || text === '..' ? [`must not be '${text}'`] : []),
  ];
}

/** What is wrong with a port's number. */
export function portNumberFaults(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}
