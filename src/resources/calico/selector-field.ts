// A field that holds a selector. Whether it parses is our own check: CEL cannot read the language.
import { parseSelector, SelectorSyntaxError } from '../../selector/index.ts';
import { type FieldOptions, ruleFor, string } from '../field.ts';

/** At most 1,024 characters unless the options say otherwise, and never with global() in it. */
export function selector(options: FieldOptions = {}) {
  return string({
    maxLength: 1024,
    'x-kubernetes-validations': [withoutGlobal],
    check: selectorFault,
    ...options,
  });
}

/** A selector that must not be bounded, because its published schema has no bound. */
export function unboundedSelector(options: FieldOptions = {}) {
  return string({ check: (text: unknown) => globalFault(text) ?? selectorFault(text), ...options });
}

/** Undefined when the text is a selector. */
export function selectorFault(text: unknown): string | undefined {
  try {
    parseSelector(String(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof SelectorSyntaxError)) throw error;
    return `must be a selector: ${error.fault}`;
  }
}

const globalMessage = 'must not use global(), which only a namespaceSelector of a rule may';

const withoutGlobal = ruleFor<string>(
  "!self.contains('global(')",
  globalMessage,
  (text) => !usesGlobal(text),
);

function globalFault(text: unknown): string | undefined {
  return usesGlobal(String(text)) ? globalMessage : undefined;
}

function usesGlobal(text: string): boolean {
  return text.includes('global(');
}
