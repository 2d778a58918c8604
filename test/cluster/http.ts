// HTTP as a shell with a netcat speaks it, from inside of pods and nodes.

/** A line for a shell that asks for a URL with the netcat of that name: Debian's static busybox falls over its own wget. */
export function httpRequest(netcat: string, url: string): string {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | ${netcat} -w 3 ${host} ${port || '80'}`;
}

/** @throws Error when there was no answer */
export function bodyOf(answer: string): string {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`That is no answer over HTTP: "${answer}"`);
  return answer.slice(end).trim();
}
