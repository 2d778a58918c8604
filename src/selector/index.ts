// The door of the selector room: Calico's label selector language.
export { parseSelector } from './parse.ts';
export { prefixLabels } from './prefix-labels.ts';
export { printSelector, selectorId } from './print.ts';
export { type RequiredLabel, requiredLabels } from './required-labels.ts';
export { all, and, type Labels, matches, not, type Selector } from './selector.ts';
export { SelectorSyntaxError } from './tokenize.ts';
