// Walks the syntax tree of an expression.
import type { ASTNode } from '@marcbachmann/cel-js';

/** The node and all below it. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const below of nodesIn(node.args)) yield* nodesOf(below);
}

function* nodesIn(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const one of args) yield* nodesIn(one);
  else if (isNode(args)) yield args;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
