// Calico's selectors, read straight from their text: the plain reading beside the one of the selector room. It takes the text
// apart at its weakest operator and asks each part.

type LabelRecord = Readonly<Record<string, string>>;

/** @throws RangeError for a text that is no selector */
export function selectsByText(text: string, labels: LabelRecord): boolean {
  const whole = text.trim();
  if (whole === '' || whole === 'all()' || whole === 'global()') return true;
  for (const [operator, join] of [
    ['||', (parts: boolean[]) => parts.includes(true)],
    ['&&', (parts: boolean[]) => !parts.includes(false)],
  ] as const) {
    const parts = splitOutside(whole, operator);
    if (parts.length > 1) return join(parts.map((part) => selectsByText(part, labels)));
  }
  if (whole.startsWith('!')) return !selectsByText(whole.slice(1), labels);
  if (whole.startsWith('(') && whole.endsWith(')')) return selectsByText(whole.slice(1, -1), labels);
  return compares(whole, labels);
}

function compares(text: string, labels: LabelRecord): boolean {
  const has = /^has\(\s*([\w./-]+)\s*\)$/.exec(text)?.[1];
  if (has !== undefined) return Object.hasOwn(labels, has);
  const [, label = '', operator = '', rest = ''] =
    /^([\w./-]+)\s*(==|!=|contains|starts\s*with|ends\s*with|not\s*in|in)\s*(.*)$/s.exec(text) ?? [];
  const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
  const texts = [...rest.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? '');
  const [wanted = ''] = texts;
  switch (operator.replaceAll(/\s/g, '')) {
    case '==':
      return value === wanted;
    case '!=':
      return value !== wanted;
    case 'in':
      return value !== undefined && texts.includes(value);
    case 'notin':
      return value === undefined || !texts.includes(value);
    case 'contains':
      return value?.includes(wanted) ?? false;
    case 'startswith':
      return value?.startsWith(wanted) ?? false;
    case 'endswith':
      return value?.endsWith(wanted) ?? false;
    default:
      throw new RangeError(`"${text}" is not a selector`);
  }
}

/** Splits where the operator stands outside of quotes and brackets. */
function splitOutside(text: string, operator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote) quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (depth === 0 && text.startsWith(operator, at)) {
      parts.push(text.slice(start, at));
      start = at + operator.length;
      at = start - 1;
    }
  }
  return [...parts, text.slice(start)];
}
