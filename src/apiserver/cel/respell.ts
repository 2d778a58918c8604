// Puts our own `has` and `matches` in the place of the CEL library's, which it lets nobody replace. The new names are as long as
// the old ones, so that an error's position in the expression stays right.
import type { Environment } from '@marcbachmann/cel-js';
import { presenceMacro } from './library/presence.ts';
import { matchMethod } from './library/strings.ts';
import { nodesOf } from './syntax-tree.ts';

/** @throws ParseError */
export function respell(environment: Environment, expression: string): string {
  let text = expression;
  const put = (name: string, at: number) => {
    text = text.slice(0, at) + name + text.slice(at + name.length);
  };
  for (const node of nodesOf(environment.parse(expression).ast)) {
    if (node.op === 'call' && node.args[0] === 'has') put(presenceMacro, node.range.start);
    if (node.op === 'rcall' && node.args[0] === 'matches' && node.args[2].length === 1) {
      // Between the receiver and the argument stand parentheses, blanks and the name.
      const at = expression.lastIndexOf('matches', node.args[2][0]?.range.start);
      if (at >= node.args[1].range.end) put(matchMethod, at);
    }
  }
  return text;
}
