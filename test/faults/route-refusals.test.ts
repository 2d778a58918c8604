// The kernel refuses links, addresses, routes, neighbours and forwarding entries now and then, while pods come and go and other hands take
// routes away: no agent dies, what fails is cleaned up and tried again, and in the end everything is there and nothing is left over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { closeNamespace, deleteRoute, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { formatCidr, parseCidr } from '../../src/net/index.ts';
import { ipamBlocks } from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { runRound } from '../../torture/agents/round.ts';
import { Runtime } from '../../torture/agents/runtime.ts';
import { pools } from '../../torture/agents.ts';
import { Random } from '../../torture/random.ts';

/** The gate's own refusals are always the same ones of each agent's changes. */
const seed = Number(process.env.CALICO_SEED ?? 20261127);
/** An ADD makes about fifteen changes: every second one meets a refusal. */
const share = 0.05;
const patienceMs = 60_000;
const kinds = ['link', 'veth', 'address', 'route', 'neighbour'];

test('agents that are refused changes of links and routes go on until all is as it should be', {
  timeout: 300_000,
}, async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = new Random(seed);
  const id = `test-refused-${process.pid}`;
  const agents = await Agents.start({ id, nodes: 2, pools, families: [4, 6] });
  const within = <T>(node: string, act: (rtnetlink: Rtnetlink) => T): T => {
    const namespace = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
    try {
      using rtnetlink = Rtnetlink.open({ namespace });
      return act(rtnetlink);
    } finally {
      closeNamespace(namespace);
    }
  };
  /** Ranges to which a node has routes of ours, by its tunnels. */
  const routed = (node: string) =>
    within(node, (rtnetlink) => {
      const tunnels = rtnetlink.links().filter(({ name }) => name.startsWith('vxlan'));
      return rtnetlink.routes().filter(({ link }) => tunnels.some(({ index }) => index === link));
    });
  try {
    const runtime = new Runtime(agents, random);
    for (const node of agents.nodes) agents.refuse(node, { share, seed });
    const refusals = () => agents.nodes.flatMap((node) => agents.refusals(node));
    const spared = () => kinds.filter((kind) => !kindsOf(refusals()).has(kind));
    // Which changes are refused depends on the order in which agents come to them.
    for (let times = 0; times < 4 && (times === 0 || spared().length > 0); times++) {
      await runtime.work({ operations: 40, width: 4, level: 14 }, (begun) => {
        if (begun % 10 !== 0) return;
        const node = random.pick(agents.nodes);
        const [route] = routed(node);
        if (route) within(node, (rtnetlink) => rtnetlink.ensure(deleteRoute(route)));
      });
    }
    for (const node of agents.nodes) agents.refuse(node, { share: 0, seed });
    await runRound(agents, runtime, random, { operations: 2, kills: 0, width: 1, level: 14 });
    const wanted = async (node: string) => {
      const all = await agents.datastore.list(ipamBlocks);
      const others = all.filter(({ spec }) => spec.affinity && spec.affinity !== `host:${node}`);
      return others.map(({ spec }) => formatCidr(parseCidr(spec.cidr))).toSorted();
    };
    for (const node of agents.nodes) {
      for (const start = Date.now(); ; await delay(100)) {
        const have = routed(node).map(({ destination }) => destination);
        const missing = (await wanted(node)).filter((cidr) => !have.includes(cidr));
        if (missing.length === 0) break;
        assert.ok(Date.now() - start < patienceMs, `${node} has no route to ${missing.join(', ')}`);
      }
    }
    const refused = refusals();
    t.diagnostic(`${refused.length} refusals: ${JSON.stringify(Object.fromEntries(kindsOf(refused)))}`);
    t.diagnostic(JSON.stringify(runtime.counts));
    assert.deepEqual(spared(), [], 'kinds of changes of which none was refused');
    assert.equal(agents.restarts, 0);
  } finally {
    await agents.stop();
  }
});

/** "link": 3 */
function kindsOf(refused: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const what of refused) {
    const [kind = what] = /link|veth|address|route|neighbour|forwarding/.exec(what) ?? [];
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
