// Regular expressions of schemas and rules. They are written for Go's RE2, which allows escapes that JavaScript takes only
// outside of its Unicode mode.

const patterns = new Map<string, RegExp>();

/** @throws SyntaxError when the pattern is none, in either of JavaScript's modes. */
export function compilePattern(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    // "(?i)" stands for a flag that JavaScript takes apart from the pattern.
    const text = pattern.replace('(?i)', '');
    const flags = text === pattern ? '' : 'i';
    try {
      compiled = new RegExp(text, `${flags}u`);
    } catch {
      // Without the flag superfluous escapes mean themselves; what is still wrong then is thrown.
      compiled = new RegExp(text, flags);
    }
    patterns.set(pattern, compiled);
  }
  return compiled;
}
