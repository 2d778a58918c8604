// A small interpreter of Go's text/template, for `get -o go-template=`: fields, pipelines, variables, if, range, with,
// break and continue, whitespace trimming, and the functions of functions.ts. Templates that define templates are not spoken.
// Source: https://pkg.go.dev/text/template
import { evaluate } from './evaluate.ts';
import { parseTemplate } from './parse.ts';

/** @throws TemplateError that says where and why */
export function executeTemplate(text: string, data: unknown): string {
  return evaluate(parseTemplate(text), data);
}
