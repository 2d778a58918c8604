// `has` for any operand: the CEL library's own takes a chain of field names only, so that has(self.rules[0].path) would not
// compile, and does not ask whether the schema has the field, so that a misspelt one would be absent for ever.
// Registered under a name of its own, for the CEL library lets no macro be replaced; respell.ts puts it in place.
import { type ASTNode, TypeError as CelTypeError, type Environment, Optional } from '@marcbachmann/cel-js';

export const presenceMacro = 'Has';

/** What the CEL library hands to macros, as far as its README says it. */
interface Checker {
  check(node: ASTNode, context: unknown): unknown;
  getType(name: string): unknown;
}
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}

export function registerPresence(environment: Environment): void {
  environment.registerFunction(`${presenceMacro}(ast): bool`, ({ args: [field] }: { args: [ASTNode] }) => ({
    async: false,
    typeCheck(checker: Checker, _macro: unknown, context: unknown) {
      if (field.op !== '.' && field.op !== '.?') {
        throw new CelTypeError('invalid argument to has() macro', field);
      }
      checker.check(field, context);
      return checker.getType('bool');
    },
    evaluate: (evaluator: Evaluator, _macro: unknown, context: unknown) =>
      (field.op === '.' || field.op === '.?') &&
      isPresent(evaluator.run(field.args[0], context), field.args[1]),
  }));
}

function isPresent(holder: unknown, field: string): boolean {
  if (holder instanceof Optional) return holder.hasValue() && isPresent(holder.value(), field);
  if (holder instanceof Map) return holder.has(field);
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, field);
}
