// Reads a template: pieces and tokens in, the tree of syntax.ts out.
import { cut, type Piece, type Token } from './lex.ts';
import type { Command, Node, Operand, Pipeline } from './syntax.ts';
import { TemplateError } from './template-error.ts';

/** @throws TemplateError */
export function parseTemplate(text: string): Node[] {
  const parser = new BlockParser(cut(text));
  return parser.parse();
}

/** How a block ended. */
type Ending = { readonly word: 'end' | 'else'; readonly tokens: readonly Token[]; readonly line: number };

class BlockParser {
  readonly #pieces: readonly Piece[];
  #next = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parse(): Node[] {
    const { nodes, ending } = this.#block(0);
    if (ending) throw new TemplateError(`line ${ending.line}: "${ending.word}" has no beginning`);
    return nodes;
  }

  /** Up to "end", "else" or the end of the template. `loops` counts the ranges around. */
  #block(loops: number): { nodes: Node[]; ending: Ending | undefined } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (!piece) return { nodes, ending: undefined };
      if (piece.type === 'text') {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const { line } = piece;
      if (!first) throw new TemplateError(`line ${line}: an action is empty`);
      const word = first.type === 'word' ? first.word : undefined;
      if (word === 'end' || word === 'else') return { nodes, ending: { word, tokens: rest, line } };
      if (word === 'if' || word === 'with' || word === 'range') {
        nodes.push(this.#construct(word, rest, line, loops));
      } else if (word === 'break' || word === 'continue') {
        if (loops === 0) throw new TemplateError(`line ${line}: "${word}" stands outside of a range`);
        nodes.push({ type: word });
      } else nodes.push({ type: 'print', pipeline: parsePipeline(piece.tokens, line), line });
    }
  }

  #construct(type: 'if' | 'with' | 'range', tokens: readonly Token[], line: number, loops: number): Node {
    const { nodes: body, ending } = this.#block(type === 'range' ? loops + 1 : loops);
    return {
      type,
      pipeline: parsePipeline(tokens, line),
      body,
      otherwise: this.#otherwise(ending, type, line, loops),
      line,
    };
  }

  #otherwise(ending: Ending | undefined, type: string, line: number, loops: number): Node[] {
    if (!ending) throw new TemplateError(`line ${line}: "${type}" has no end`);
    if (ending.word === 'end') return [];
    const [first, ...rest] = ending.tokens;
    // "else if" shares the end of the "if" that it belongs to.
    if (first?.type === 'word' && (first.word === 'if' || first.word === 'with')) {
      return [this.#construct(first.word, rest, ending.line, loops)];
    }
    const { nodes, ending: last } = this.#block(loops);
    if (last?.word !== 'end') throw new TemplateError(`line ${ending.line}: "else" has no end`);
    return nodes;
  }
}

function parsePipeline(tokens: readonly Token[], line: number): Pipeline {
  const parser = new PipelineParser(tokens, line);
  const pipeline = parser.pipeline();
  parser.expectEnd();
  return pipeline;
}

class PipelineParser {
  readonly #tokens: readonly Token[];
  readonly #line: number;
  #next = 0;

  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens;
    this.#line = line;
  }

  pipeline(): Pipeline {
    const { variables, assigns } = this.#variables();
    const commands: Command[] = [];
    do commands.push(this.#command());
    while (this.#takeSign('|'));
    return { variables, assigns, commands };
  }

  expectEnd(): void {
    if (this.#tokens[this.#next]) throw new TemplateError(`line ${this.#line}: a parenthesis is not opened`);
  }

  /** "$x :=", "$i, $x :=" or "$x =", when the pipeline begins so. */
  #variables(): { variables: string[]; assigns: boolean } {
    const from = this.#next;
    const variables: string[] = [];
    do {
      const token = this.#tokens[this.#next];
      if (token?.type !== 'variable' || token.names.length > 0) break;
      this.#next++;
      variables.push(token.name);
    } while (this.#takeSign(','));
    if (variables.length > 0) {
      if (this.#takeSign(':=')) return { variables, assigns: false };
      if (this.#takeSign('=')) return { variables, assigns: true };
    }
    this.#next = from;
    return { variables: [], assigns: false };
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand; operand = this.#operand()) operands.push(operand);
    if (operands.length === 0) throw new TemplateError(`line ${this.#line}: a command is missing`);
    return operands;
  }

  #operand(): Operand | undefined {
    const token = this.#tokens[this.#next];
    if (!token || token.type === 'close') return undefined;
    if (token.type === 'sign') {
      if (token.sign !== '(') return undefined;
      this.#next++;
      const pipeline = this.pipeline();
      const close = this.#tokens[this.#next++];
      if (close?.type !== 'close') throw new TemplateError(`line ${this.#line}: "(" is not closed`);
      return { type: 'pipeline', pipeline, names: close.names };
    }
    this.#next++;
    return token.type === 'word' ? { type: 'function', name: token.word } : token;
  }

  #takeSign(sign: string): boolean {
    const token = this.#tokens[this.#next];
    const isThere = token?.type === 'sign' && token.sign === sign;
    if (isThere) this.#next++;
    return isThere;
  }
}
