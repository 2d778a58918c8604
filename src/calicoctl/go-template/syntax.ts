// What a template is once it has been read.

export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipeline: Pipeline; readonly line: number }
  | {
      readonly type: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
      readonly line: number;
    }
  | { readonly type: 'break' | 'continue' };

export interface Pipeline {
  /** Variables that it sets, of which a range sets up to two: index and element. */
  readonly variables: readonly string[];
  /** Whether the variables exist already ("=") or are new (":="). */
  readonly assigns: boolean;
  /** Each but the first is given the result of the one before as its last argument. */
  readonly commands: readonly Command[];
}

/** A function and its arguments, or a single operand. */
export type Command = readonly Operand[];

export type Operand =
  | { readonly type: 'field'; readonly names: readonly string[] }
  | { readonly type: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly type: 'literal'; readonly value: unknown }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline; readonly names: readonly string[] };
