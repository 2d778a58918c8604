// Calico's selectors, read straight from their text: the plain reading beside the one of the selector room. It takes the text
// apart at its weakest operator and asks each part.

type LabelRecord = Readonly<Record<string, string>>;

const gap = '[ \\t]*';
const label = '([\\w./-]{1,512})(?![\\w./-])';
const quoted = `(?:"[^"]*"|'[^']*')`;
const everything = new RegExp(`^(?:all|global)\\(${gap}\\)$`);
const nowhere = new RegExp(`^global\\(${gap}\\)$`);
const presence = new RegExp(`^has\\(${gap}${label}${gap}\\)$`);
const comparison = new RegExp(
  `^${label}${gap}(==|!=|contains|starts${gap}with|ends${gap}with)${gap}(${quoted})$`,
);
const membership = new RegExp(
  `^${label}${gap}(not${gap}in|in)${gap}\\{${gap}((?:${quoted}${gap},${gap})*(?:${quoted}${gap})?)\\}$`,
);

/** @throws RangeError for a text that is no selector */
export function selectsByText(text: string, labels: LabelRecord): boolean {
  const whole = trimmed(text);
  return whole === '' || holds(whole, labels);
}

export function isSelectorText(text: string): boolean {
  try {
    selectsByText(text, {});
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether it is the one selector that means what belongs to no namespace. */
export function isGlobalText(text: string): boolean {
  return nowhere.test(trimmed(text));
}

/** A newline is no gap. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
}

function holds(text: string, labels: LabelRecord): boolean {
  const whole = trimmed(text);
  for (const [operator, join] of [
    ['||', (parts: boolean[]) => parts.includes(true)],
    ['&&', (parts: boolean[]) => !parts.includes(false)],
  ] as const) {
    const parts = splitOutside(whole, operator);
    if (parts.length > 1) return join(parts.map((part) => holds(part, labels)));
  }
  if (whole.startsWith('!')) return !holds(whole.slice(1), labels);
  if (whole.startsWith('(') && whole.endsWith(')')) return holds(whole.slice(1, -1), labels);
  return everything.test(whole) || compares(whole, labels);
}

function compares(text: string, labels: LabelRecord): boolean {
  const has = presence.exec(text)?.[1];
  if (has !== undefined) return Object.hasOwn(labels, has);
  const [, name = '', operator = '', rest = ''] = comparison.exec(text) ?? membership.exec(text) ?? [];
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  const texts = [...rest.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? '');
  const [wanted = ''] = texts;
  switch (operator.replaceAll(/[ \t]/g, '')) {
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
