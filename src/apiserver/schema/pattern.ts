// Regular expressions of schemas and rules. They are written in RE2's syntax (https://github.com/google/re2/wiki/Syntax), of which
// what JavaScript spells in another way is translated; flags for a part of a pattern are JavaScript's own "(?i:...)".

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

const patterns = new Map<string, RegExp>();

/** @throws SyntaxError when the pattern is none, in either of JavaScript's modes. */
export function compilePattern(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    const { text, flags } = translated(pattern);
    try {
      compiled = new RegExp(text, `${flags}u`);
    } catch {
      // Outside of the Unicode mode superfluous escapes mean themselves; what is still wrong then is thrown.
      compiled = new RegExp(text, flags);
    }
    patterns.set(pattern, compiled);
  }
  return compiled;
}

/** JavaScript takes flags for the whole apart from the pattern. */
function translated(pattern: string): { text: string; flags: string } {
  let flags = '';
  const text = pattern.replace(
    /\\([Az])|\\.|\(\?([ims]+)\)|\(\?P<|\[:(\w+):\]/gs,
    (piece, anchor?: string, wholeFlags?: string, className?: string) => {
      if (anchor) return anchor === 'A' ? '^' : '$';
      if (wholeFlags) {
        for (const flag of wholeFlags) if (!flags.includes(flag)) flags += flag;
        return '';
      }
      if (piece === '(?P<') return '(?<';
      return (className && Object.hasOwn(classes, className) && classes[className]) || piece;
    },
  );
  return { text, flags };
}
