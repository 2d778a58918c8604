// What is asked of two API servers, of which every answer must be the same: command lines and requests.

/** One line for bash, with `kubectl` on PATH; the input is what its standard input holds. */
export interface Line {
  readonly line: string;
  readonly input: string;
}

export interface Request {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Step = Line | Request;

/** Steps that build on each other; the names in them are the case's own. */
export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A string stands for a line without input. */
export function compare(name: string, ...steps: readonly (Step | string)[]): Case {
  return { name, steps: steps.map((step) => (typeof step === 'string' ? line(step) : step)) };
}

/** All that a step asks, as text. */
export function asked(step: Step): string {
  return 'line' in step
    ? `$ ${step.line} <<< ${step.input}`
    : `${step.method} ${step.path} ${JSON.stringify(step.headers)} ${step.body}`;
}

/** An object is given as JSON. */
export function line(text: string, input: object | string = ''): Line {
  return { line: text, input: written(input) };
}

export function create(object: object): Line {
  return line('kubectl create -f -', object);
}

export function get(path: string, headers: Readonly<Record<string, string>> = {}): Request {
  return { method: 'GET', path, headers, body: '' };
}

export function request(
  method: string,
  path: string,
  body: object | string = '',
  headers: Readonly<Record<string, string>> = { 'Content-Type': 'application/json' },
): Request {
  return { method, path, headers, body: written(body) };
}

function written(value: object | string): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
