// Splits a stream of bytes into the JSON documents that stand on its lines, each byte looked at and copied once.

const newline = 0x0a;

/**
 * Yields one parsed document per line; empty lines are skipped. What follows the last newline is half a document, cut
 * off with its connection, and is dropped. @throws SyntaxError for a whole line that is not JSON
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      pieces.push(chunk.subarray(start, end));
      const line = (
        pieces.length === 1
          ? Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start)
          : Buffer.concat(pieces)
      )
        .toString('utf8')
        .trim();
      pieces = [];
      start = end + 1;
      if (line !== '') yield JSON.parse(line);
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
}
