// What a CEL function throws when its arguments have no result: the rule then counts as broken, with these words.
import { EvaluationError } from '@marcbachmann/cel-js';

export function noResult(why: string): EvaluationError {
  return new EvaluationError(why);
}
