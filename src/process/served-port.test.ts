import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

test('"localhost" is served at 127.0.0.1, where the kubelet probes it, though the node calls ::1 so too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'served-port-'));
  try {
    const hosts = join(folder, 'hosts');
    // As Debian writes it.
    writeFileSync(hosts, '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n');
    const program = `
      import { ServedPort } from ${JSON.stringify(join(import.meta.dirname, 'served-port.ts'))};
      const served = new ServedPort(() => undefined);
      await served.serveAt({ host: 'localhost', port: 0 });
      process.stdout.write(served.address.host);
      await served.close();`;
    const script = 'mount --bind "$1" /etc/hosts && exec "$2" --input-type=module --eval "$3"';
    const args = ['--mount', 'sh', '-c', script, 'sh', hosts, process.execPath, program];
    assert.equal(execFileSync('unshare', args, { encoding: 'utf8' }), '127.0.0.1');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
