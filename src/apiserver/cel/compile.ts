// Compiles one validation rule: checks it against the types of its schema and makes it a function.
import {
  TypeError as CelTypeError,
  type Environment,
  EvaluationError,
  Optional,
  ParseError,
} from '@marcbachmann/cel-js';
import type { ValidationRule } from '../schema/schema.ts';
import { respell } from './respell.ts';
import { nodesOf } from './syntax-tree.ts';

/** What a rule speaks of, as CEL values; `oldSelf` is an Optional where the rule asks for one. */
export interface Variables {
  readonly self: unknown;
  readonly oldSelf?: unknown;
}

export interface CompiledRule {
  readonly source: ValidationRule;
  /** Whether the rule compares with the state before, so that it speaks of updates only. */
  readonly usesOldSelf: boolean;
  /** @throws EvaluationError when the rule has no result, as for a field that is absent. */
  readonly evaluate: (variables: Variables) => unknown;
  readonly message?: (variables: Variables) => unknown;
}

/** Which keyword of a rule is wrong, and why. */
export interface RuleFault {
  readonly keyword: keyof ValidationRule;
  readonly why: string;
}

/** `environment` knows self and oldSelf. Returns the faults when the rule is refused. */
export function compileRule(environment: Environment, source: ValidationRule): CompiledRule | RuleFault[] {
  const faults: RuleFault[] = [];
  const compiled = (keyword: 'rule' | 'messageExpression', type: 'bool' | 'string') => {
    try {
      return compile(environment, source[keyword] ?? '', type);
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof Refusal))
        throw error;
      faults.push({ keyword, why: describe(error, source[keyword] ?? '') });
      return undefined;
    }
  };
  const rule = compiled('rule', 'bool');
  const message =
    source.messageExpression === undefined ? undefined : compiled('messageExpression', 'string');
  if (!rule || faults.length > 0) return faults;
  return {
    source,
    usesOldSelf: rule.usesOldSelf,
    evaluate: rule.evaluate,
    ...(message && { message: message.evaluate }),
  };
}

/** An expression that CEL takes and Kubernetes does not. */
class Refusal extends Error {}

function compile(environment: Environment, expression: string, type: 'bool' | 'string') {
  const program = environment.parse(respell(environment, expression));
  const { valid, type: actual, error } = program.check();
  if (!valid) throw error;
  if (actual !== type && actual !== 'dyn') throw new Refusal(`cel expression must evaluate to a ${type}`);
  const usesOldSelf = [...nodesOf(program.ast)].some((node) => node.op === 'id' && node.args === 'oldSelf');
  return { usesOldSelf, evaluate: (variables: Variables): unknown => program({ ...variables }) };
}

function describe(error: ParseError | CelTypeError | Refusal, expression: string): string {
  if (error instanceof Refusal) return error.message;
  const before = expression.slice(0, error.range?.start ?? 0).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `compilation failed: ERROR: <input>:${before.length}:${column}: ${error.summary}`;
}

/** The words of a failed evaluation; undefined for any other error, which is not the rule's. */
export function evaluationFault(error: unknown): string | undefined {
  // A type error is found when a value's type is known at last.
  if (!(error instanceof EvaluationError || error instanceof CelTypeError)) return undefined;
  return error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
}

/** `oldSelf` for a rule that takes it as an optional value. */
export function optionalOf(value: unknown): Optional {
  return value === undefined ? Optional.none() : Optional.of(value);
}
