// Runs a template over data. Fields are found by their name in JSON or, as upstream's templates spell them, by the name
// of Go's struct field: ".Spec.IPIPMode" finds "spec.ipipMode", ".ObjectMeta" finds "metadata".
import { callFunction, isTrue } from './functions.ts';
import { printed } from './printed.ts';
import type { Command, Node, Operand, Pipeline } from './syntax.ts';
import { TemplateError } from './template-error.ts';

/** @throws TemplateError */
export function evaluate(nodes: readonly Node[], data: unknown): string {
  const run = new Run();
  run.nodes(nodes, data, new Scope(undefined, new Map([['', data]])));
  return run.output;
}

class Scope {
  readonly #outer: Scope | undefined;
  readonly #values: Map<string, unknown>;

  constructor(outer: Scope | undefined, values = new Map<string, unknown>()) {
    this.#outer = outer;
    this.#values = values;
  }

  declare(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  assign(name: string, value: unknown): void {
    const owner = this.#ownerOf(name);
    owner.#values.set(name, value);
  }

  get(name: string): unknown {
    return this.#ownerOf(name).#values.get(name);
  }

  #ownerOf(name: string): Scope {
    for (let scope: Scope | undefined = this; scope; scope = scope.#outer) {
      if (scope.#values.has(name)) return scope;
    }
    throw new TemplateError(`undefined variable "$${name}"`);
  }
}

/** How a list of nodes ended: by itself, or because a range is to be left or to go on. */
type Flow = 'on' | 'break' | 'continue';

class Run {
  output = '';

  nodes(nodes: readonly Node[], dot: unknown, scope: Scope): Flow {
    for (const node of nodes) {
      const flow = this.#located(node, () => this.#node(node, dot, scope));
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  #located(node: Node, task: () => Flow): Flow {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof TemplateError) || !('line' in node) || error.message.startsWith('line '))
        throw error;
      throw new TemplateError(`line ${node.line}: ${error.message}`, { cause: error });
    }
  }

  #node(node: Node, dot: unknown, scope: Scope): Flow {
    switch (node.type) {
      case 'text':
        this.output += node.text;
        return 'on';
      case 'print': {
        const value = pipelineValue(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) this.output += printed(value);
        return 'on';
      }
      case 'if':
      case 'with': {
        const inner = new Scope(scope);
        const value = pipelineValue(node.pipeline, dot, inner);
        if (!isTrue(value)) return this.nodes(node.otherwise, dot, inner);
        return this.nodes(node.body, node.type === 'with' ? value : dot, inner);
      }
      case 'range':
        return this.#range(node, dot, new Scope(scope));
      case 'break':
      case 'continue':
        return node.type;
    }
  }

  #range(node: Extract<Node, { type: 'if' | 'with' | 'range' }>, dot: unknown, scope: Scope): Flow {
    const { variables, commands } = node.pipeline;
    const over = pipelineValue({ variables: [], assigns: false, commands }, dot, scope);
    const entries = entriesOf(over);
    if (entries.length === 0) return this.nodes(node.otherwise, dot, scope);
    for (const [key, value] of entries) {
      const inner = new Scope(scope);
      const [first, second] = variables;
      if (second !== undefined) {
        if (first !== undefined) inner.declare(first, key);
        inner.declare(second, value);
      } else if (first !== undefined) inner.declare(first, value);
      if (this.nodes(node.body, value, inner) === 'break') break;
    }
    return 'on';
  }
}

/** Lists by index, maps in the order of their keys, whole numbers counting from zero. */
function entriesOf(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index]);
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object') throw new TemplateError(`range cannot go over ${JSON.stringify(value)}`);
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function pipelineValue({ variables, assigns, commands }: Pipeline, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  for (const [index, command] of commands.entries()) {
    value = commandValue(command, index > 0 ? [value] : [], dot, scope);
  }
  for (const name of variables) {
    if (assigns) scope.assign(name, value);
    else scope.declare(name, value);
  }
  return value;
}

function commandValue(command: Command, piped: readonly unknown[], dot: unknown, scope: Scope): unknown {
  const [first, ...rest] = command;
  if (first?.type === 'function') {
    const operands = rest.map((operand) => () => operandValue(operand, dot, scope));
    return callFunction(first.name, [...operands, ...piped.map((value) => () => value)]);
  }
  if (!first || rest.length > 0 || piped.length > 0)
    throw new TemplateError('only a function takes arguments');
  return operandValue(first, dot, scope);
}

function operandValue(operand: Operand, dot: unknown, scope: Scope): unknown {
  switch (operand.type) {
    case 'literal':
      return operand.value;
    case 'field':
      return follow(dot, operand.names);
    case 'variable':
      return follow(scope.get(operand.name), operand.names);
    case 'function':
      return callFunction(operand.name, []);
    case 'pipeline':
      return follow(pipelineValue(operand.pipeline, dot, scope), operand.names);
  }
}

/** What is missing is nothing, as with Go's maps. @throws TemplateError when a field is asked of what has none */
function follow(start: unknown, names: readonly string[]): unknown {
  let value = start;
  for (const name of names) {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object') {
      throw new TemplateError(`cannot evaluate field "${name}" of ${JSON.stringify(value)}`);
    }
    value = fieldOf(value, name);
  }
  return value;
}

function fieldOf(object: object, name: string): unknown {
  if (Object.hasOwn(object, name)) return Reflect.get(object, name);
  const wanted = name === 'ObjectMeta' ? 'metadata' : name.toLowerCase();
  const key = Object.keys(object).find((known) => known.toLowerCase() === wanted);
  return key === undefined ? undefined : Reflect.get(object, key);
}
