// Runs one of the project's commands: prepares the clone, then hands over to the pinned Node.js by its absolute path.
// Usage: node setup/run.js COMMAND [ARGUMENT...]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { cacheFolder, fail, installPackages, installSystemPackages, root, runtime } from './prepare.js';

const eyes = {
  nft: { package: 'nftables', why: 'shows the tests what we wrote into the kernel' },
  'iptables-restore': { package: 'iptables', why: 'writes rules in the tests as kube-proxy would' },
  ipset: { package: 'ipset', why: 'makes the sets in the tests that Calico looks addresses up in' },
  ip: { package: 'iproute2', why: 'shows the tests what we wrote into the kernel' },
  '/usr/lib/cni/portmap': {
    package: 'containernetworking-plugins',
    why: 'are the plugins that ours is chained with and takes addresses from',
  },
  '/usr/lib/frr/bgpd': { package: 'frr', why: 'is a router that the tests peer with', services: ['frr'] },
  gobgpd: { package: 'gobgpd', why: 'is a router that the tests peer with', services: ['gobgpd'] },
  bird: { package: 'bird2', why: 'speaks BGP for calico-node', services: ['bird'] },
  openssl: { package: 'openssl', why: 'signs the certificates that the tests serve with' },
  kubectl: {
    package: 'kubernetes-client',
    why: 'is the real client that the tests drive the API server with',
    // Debian has it, Ubuntu has not.
    optional: true,
  },
};

/** What each command runs under Node.js, and which system commands it needs besides. */
const commands = {
  demo: { args: ['bin/calico-lab.ts', 'demo'], needs: {} },
  'calico-lab': { args: ['bin/calico-lab.ts'], needs: {} },
  'calico-node': { args: ['bin/calico-node.ts'], needs: {} },
  calicoctl: { args: ['bin/calicoctl.ts'], needs: {} },
  'kubectl-calico': { args: ['bin/kubectl-calico.ts'], needs: {} },
  test: { args: ['setup/test.ts'], needs: eyes },
  'test:cluster': {
    args: ['setup/test-cluster.ts'],
    needs: { ...eyes, openssl: { package: 'openssl', why: "signs the cluster's certificates" } },
  },
  'generate:manifests': { args: ['setup/manifests.ts'], needs: {} },
  'check:manifests': { args: ['setup/manifests.ts', '--check'], needs: {} },
  check: { args: ['setup/check.ts'], needs: {} },
  'check:crds': { args: ['setup/check-crds.ts'], needs: {} },
  format: { args: ['setup/check.ts', '--fix'], needs: {} },
  generate: { args: ['setup/generate.ts'], needs: {} },
  build: { args: ['setup/build.ts'], needs: {} },
  bench: { args: ['bench/run.ts'], needs: {} },
  torture: { args: ['torture/run.ts'], needs: eyes },
  fuzz: { args: ['torture/run.ts', 'fuzz'], needs: {} },
};

const [name, ...rest] = process.argv.slice(2);
const command = commands[name ?? ''];
if (!command) fail(`"${name}" is not a command; it is one of ${Object.keys(commands).join(', ')}`);
installPackages();
installSystemPackages(command.needs);

const [script, ...args] = command.args;
const child = spawn(runtime(), [join(root, script), ...args, ...rest], {
  stdio: 'inherit',
  env: { ...process.env, NODE_COMPILE_CACHE: join(cacheFolder(), 'compile') },
});
// A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => fail(`cannot start ${runtime()}: ${error.message}`));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
