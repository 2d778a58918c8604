// Reads YAML, and tells which keys are there twice in their map, as the real server's decoder says it.
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Json } from '../json.ts';

/** `repeated` gives 'line 7: key "order" already set in map', in the order of the text. @throws YAMLParseError */
export function readYaml(text: string): { readonly value: Json; readonly repeated: () => string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines });
  const [error] = document.errors;
  if (error) throw error;
  return { value: document.toJS() as Json, repeated: () => repeatedKeys(document, lines) };
}

function repeatedKeys(document: Document, lines: LineCounter): string[] {
  const found: string[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const { line } = lines.linePos(key.range?.[0] ?? 0);
        if (seen.has(key.value))
          found.push(`line ${line}: key ${JSON.stringify(key.value)} already set in map`);
        seen.add(key.value);
      }
    },
  });
  return found;
}
