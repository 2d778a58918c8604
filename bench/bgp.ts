// What BGP costs at scale: from objects to a configuration of 500 peers and into a running BIRD; and the routes of 5,000 nodes
// through two reflectors into another node's BIRD and kernel. Real BIRDs in network namespaces; nothing leaves them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { birdRoutes, configurationText, modelOf } from '../src/bgp/index.ts';
import { bgpConfigurations, bgpPeers, blockAffinities, ipPools, nodes } from '../src/resources/index.ts';
import { BgpLab } from '../test/bgp/bgp-lab.ts';
import { affinity, configuration, filter, peer, pool, testInput } from '../test/bgp/test-cluster.ts';

const peerCount = 500;
const rounds = 50;
const reloads = 10;
const sources = 4;
const routesPerSource = 5_000;
const patienceMs = 180_000;

/** Milliseconds: median and 99th percentile. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${times.length} rounds)`;
}

/** Five hundred routers in networks of their own, every one with a filter. */
function routers() {
  return Array.from({ length: peerCount }, (_, index) =>
    peer(
      {
        peerIP: `10.${100 + Math.floor(index / 250)}.${index % 250}.1`,
        asNumber: 65_000 + (index % 500),
        filters: ['mine'],
      },
      `router-${index}`,
    ),
  );
}

const mine = filter(
  {
    exportV4: [
      { action: 'Reject', source: 'RemotePeers' },
      { action: 'Accept', peerType: 'eBGP' },
    ],
  },
  'mine',
);

async function generate(): Promise<void> {
  const input = testInput({ peers: routers(), filters: [mine] });
  const times: number[] = [];
  let text = '';
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const { model } = modelOf(input);
    if (!model) throw new Error('No model');
    text = configurationText(model, { logFile: '/dev/null' });
    times.push(performance.now() - start);
  }
  console.log(`objects to a configuration of ${peerCount} peers, ${text.length} bytes: ${summary(times)}`);
  const folder = mkdtempSync(join(tmpdir(), 'calico-bench-bgp-'));
  try {
    writeFileSync(join(folder, 'bird.conf'), text);
    const start = performance.now();
    const { status } = spawnSync('bird', ['-p', '-c', join(folder, 'bird.conf')]);
    if (status !== 0) throw new Error('BIRD does not read it');
    console.log(`bird -p on it: ${(performance.now() - start).toFixed(1)} ms`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From the change of one object in the store to BIRD's word that it runs with it, 500 peers and all. */
async function reload(): Promise<void> {
  await using lab = await BgpLab.make('bench-reload', 1);
  for (const one of routers())
    await lab.datastore.create(bgpPeers, { ...one, spec: withoutFilters(one.spec) });
  lab.startAgents();
  const has = (count: number) => async () => (await lab.status('node-1')).sessions.length === count;
  await lab.until(`BIRD has ${peerCount} peers`, has(peerCount));
  const times: number[] = [];
  for (let round = 0; round < reloads; round++) {
    const name = `late-${round}`;
    const start = performance.now();
    await lab.datastore.create(bgpPeers, peer({ peerIP: `10.110.${round}.1`, asNumber: 65_600 }, name));
    while (!(await has(peerCount + 1 + round)())) await new Promise(setImmediate);
    times.push(performance.now() - start);
  }
  console.log(`one BGPPeer more among ${peerCount}, until BIRD has it: ${summary(times)}`);
}

function withoutFilters({ filters: _none, ...spec }: ReturnType<typeof peer>['spec']) {
  return spec;
}

/** Two reflectors, one node that learns, and nodes that tell of the blocks of 5,000 nodes, four each. */
async function learn(): Promise<void> {
  await using lab = await BgpLab.make('bench-learn', 3 + sources);
  const { datastore, names } = lab;
  const total = sources * routesPerSource;
  await datastore.create(ipPools, pool('10.0.0.0/8'));
  await datastore.create(bgpConfigurations, configuration({ nodeToNodeMeshEnabled: false }));
  for (const name of names.slice(0, 2)) {
    const annotations = { 'projectcalico.org/RouteReflectorClusterID': '244.0.0.1' };
    await datastore.mergePatch(nodes, { name }, { metadata: { annotations, labels: { reflector: '' } } });
  }
  await datastore.create(
    bgpPeers,
    peer({ nodeSelector: 'all()', peerSelector: 'has(reflector)' }, 'reflectors'),
  );
  for (const [source, name] of names.slice(3).entries()) {
    for (let index = 0; index < routesPerSource; index++) {
      const number = source * routesPerSource + index;
      const cidr = `10.${number >> 10}.${(number >> 2) & 255}.${(number & 3) << 6}/26`;
      await datastore.create(blockAffinities, affinity(cidr, name));
    }
  }
  const sink = 'node-3';
  const inKernel = async () =>
    Number(await lab.inside(sink, 'sh', ['-c', 'ip -4 route show proto bird | grep -c ^10; true']));
  lab.startAgents(names.slice(0, 3));
  await lab.established(names.slice(2, 3));
  const start = performance.now();
  lab.startAgents(names.slice(3));
  const giveUpAt = start + patienceMs;
  for (let count = await inKernel(); count < total; count = await inKernel()) {
    if (performance.now() > giveUpAt) throw new Error(`Only ${count} of ${total} routes are in the kernel`);
    await delay(100);
  }
  const learned = performance.now() - start;
  const routes = await birdRoutes(lab.paths(sink).socket);
  const paths = routes.filter(({ destination }) => destination.startsWith('10.')).length;
  console.log(
    `${total} routes through two reflectors, from the start of their ${sources} speakers to the last in the kernel: ${(learned / 1000).toFixed(2)} s (BIRD holds ${paths} paths)`,
  );
  const restart = performance.now();
  await lab.stopAgent(sink);
  lab.startAgents([sink]);
  await lab.established([sink]);
  await lab.until('BIRD has recovered', async () => !(await lab.status(sink)).daemon.isRecovering);
  console.log(
    `the node that learned them restarts gracefully: ${((performance.now() - restart) / 1000).toFixed(2)} s, ${await inKernel()} routes in the kernel then`,
  );
}

await generate();
await reload();
await learn();
