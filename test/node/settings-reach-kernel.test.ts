// Every parameter of Felix that works on this dataplane shows in the kernel of a real agent's node: from environment and file at
// its start, and from the resource while it runs, at once or after the new start that it makes by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { variableOf } from '../../src/felix/configuration/parameter.ts';
import { parameterNames } from '../../src/felix/configuration/parameters/index.ts';
import { anyParameters, type ParameterName } from '../../src/felix/index.ts';
import { type FelixConfiguration, felixConfigurations } from '../../src/resources/index.ts';
import type { Agents } from '../../torture/agents/agents.ts';
import { until } from './agent-at-work.ts';
import { addSettledPod, far, farTunnel, type NodeWithPod, startNodes, wan } from './nodes-to-set.ts';
import { type Cases, liveCases, restartCases, type SettingCase, specOf } from './setting-cases.ts';

const [byResource, byNode] = ['node-1', 'node-2'];
/** Shown below, each in a test of its own. */
const inOtherTests: readonly ParameterName[] = [
  'ipForwarding',
  'removeExternalRoutes',
  'routeRefreshInterval',
  'logSeverityScreen',
];

/** Given to the second node by its environment and its file, every other one by each. */
const { vxlanMTU, mtuIfacePattern, ...others } = restartCases;
const atStart: Cases = { ...liveCases, ...others, mtuIfacePattern };
const variable = (name: ParameterName) => variableOf(name, anyParameters[name]);
const textOf = ({ value, text = String(value) }: SettingCase) => text;
const entries = Object.entries(atStart) as [ParameterName, SettingCase][];
const isOfEnvironment = (n: number) => n % 2 === 0;
const environment = Object.fromEntries(
  entries.flatMap(([name, one], n) => (isOfEnvironment(n) ? [[variable(name), textOf(one)]] : [])),
);
/** What the environment says counts before it: for that the file has the defaults. */
const file = entries.map(([name, one], n) => {
  const text = isOfEnvironment(n) ? anyParameters[name].otherwise : textOf(one);
  return `${variable(name).slice('FELIX_'.length)} = ${text}`;
});

test('each of the most used parameters that have an effect here is among them', () => {
  const shown = new Set<string>([...Object.keys(liveCases), ...Object.keys(restartCases), ...inOtherTests]);
  const starred = readFileSync(join(import.meta.dirname, '../data/felix-parameters.tsv'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, , , use]) => use === 'starred')
    .map(([, name]) => name);
  const working = parameterNames.filter(
    (name) => typeof anyParameters[name].effect === 'string' && starred.includes(variable(name)),
  );
  assert.deepEqual(
    working.filter((name) => !shown.has(name)),
    [],
  );
  const effects = (cases: Cases) =>
    new Set(Object.keys(cases).map((name) => anyParameters[name as ParameterName].effect));
  assert.deepEqual([effects(liveCases), effects(restartCases)], [new Set(['live']), new Set(['restart'])]);
});

describe('settings', { timeout: 400_000 }, () => {
  let agents: Agents;
  let first: NodeWithPod;
  let second: NodeWithPod;
  before(async () => {
    agents = await startNodes(`test-settings-show-${process.pid}`, {
      names: [byResource, byNode],
      environments: {
        [byNode]: { ...environment, FELIX_LOGSEVERITYSCREEN: 'Warning', FELIX_IPFORWARDING: 'Disabled' },
      },
      files: { [byNode]: file.join('\n') },
      configurations: {
        [byResource]: {},
        [byNode]: { vxlanVNI: 4097, logPrefix: 'resource', deviceRouteProtocol: 43, ipForwarding: 'Enabled' },
      },
    });
    first = await addSettledPod(agents, byResource);
    second = await addSettledPod(agents, byNode);
  });
  after(() => agents?.stop());

  const configure = async (spec: FelixConfiguration['spec']) => {
    const { metadata, ...rest } = await agents.datastore.get(felixConfigurations, {
      name: `node.${byResource}`,
    });
    await agents.datastore.update(felixConfigurations, { ...rest, metadata, spec });
  };
  const shownOf = (cases: Cases, node: NodeWithPod, isShown: boolean) =>
    Object.entries(cases).flatMap(([name, { shows }]) => (shows(node) === isShown ? [name] : []));
  /** One after the other: the last is likely to show when the first does. */
  const untilAll = async (cases: Cases, node: NodeWithPod, isShown: boolean) => {
    const what = isShown ? 'to show' : 'not to show any more';
    for (const [name, { shows }] of Object.entries(cases))
      await until(
        () => shows(node) === isShown,
        `${name} ${what} on ${node.node}`,
        () => `In all: ${shownOf(cases, node, !isShown).join(', ')}\n${node.log}`,
      );
  };
  const untilShown = (cases: Cases, node: NodeWithPod) => untilAll(cases, node, true);
  const noneShown = (cases: Cases, node: NodeWithPod) => assert.deepEqual(shownOf(cases, node, true), []);
  const starts = () => first.log.split('"msg":"Ready"').length - 1;
  /** Resolves when the agent has started anew by itself. */
  const configureAnew = async (spec: FelixConfiguration['spec']) => {
    const before = starts();
    await configure(spec);
    await until(
      () => starts() > before,
      'a new start',
      () => first.log,
    );
    assert.equal(agents.restarts, 0, 'within the same process');
  };

  test('of environment and file show, the environment before the file before the resource', async () => {
    await untilShown(atStart, second);
    assert.equal(second.sysctl('net/ipv4/ip_forward'), '0');
    assert.doesNotMatch(second.log, /"level":30/);
    assert.match(first.log, /"level":30/);
  });

  test('of the resource that count at once show without a new start', async () => {
    noneShown(liveCases, first);
    await configure(specOf(liveCases));
    await untilShown(liveCases, first);
    assert.equal(starts(), 1);
    assert.doesNotMatch(first.log, /Starting anew/);
  });

  test('of the resource that take a new start have one made, and show', async () => {
    const { mtuIfacePattern: _, ...cases } = restartCases;
    noneShown(cases, first);
    await configureAnew({ ...specOf(liveCases), ...specOf(cases) });
    const [, told = ''] = /Starting anew: (.*) changed/.exec(first.log) ?? [];
    assert.deepEqual(told.split(', ').sort(), Object.keys(cases).sort());
    await untilShown({ ...liveCases, ...cases }, first);
  });

  test('that are taken back leave nothing behind', async () => {
    await configureAnew({ mtuIfacePattern: mtuIfacePattern.value });
    await untilShown({ mtuIfacePattern }, first);
    await untilAll({ ...liveCases, ...others, vxlanMTU }, first, false);
  });

  const proxied = () => `net/ipv4/conf/${first.podLink}/route_localnet`;
  const podRoutes = () =>
    first.routes.filter(
      ({ destination, link }) =>
        destination === `${first.address(4)}/32` && link === first.link(first.podLink)?.index,
    );
  const untilRouted = () =>
    until(
      () => podRoutes().length > 0,
      'the route to the pod',
      () => first.log,
    );
  const external = '172.31.5.0/24';
  const hasExternal = () => first.routes.some(({ destination }) => destination === external);

  test('say how often routes and kernel settings are looked at that the kernel tells nothing of', async () => {
    await configureAnew({ routeRefreshInterval: '1s', interfaceRefreshInterval: '1s' });
    await untilRouted();
    first.setSysctl(proxied(), 0);
    await until(
      () => first.sysctl(proxied()) === '1',
      'the setting of the link',
      () => first.log,
    );
    const [{ metric } = assert.fail('there is no route')] = podRoutes();
    first.ip('route', 'replace', first.address(4), 'dev', wan.name, 'metric', String(metric));
    assert.deepEqual(podRoutes(), []);
    await untilRouted();
  });

  test('say whether routes of others to pods stay', async () => {
    await configureAnew({ removeExternalRoutes: false });
    first.ip('route', 'add', external, 'dev', first.podLink);
    // The second repair begins when the first is over, which would have taken it away.
    for (const _ of [1, 2]) {
      first.ip('route', 'delete', first.address(4), 'dev', first.podLink);
      await untilRouted();
    }
    assert.ok(hasExternal());
    await configureAnew({});
    await until(
      () => !hasExternal(),
      "another's route to be gone",
      () => first.log,
    );
  });

  test('say whether the node passes packets on', async () => {
    assert.equal(first.sysctl('net/ipv4/ip_forward'), '1');
    await configureAnew({ ipForwarding: 'Disabled', interfaceRefreshInterval: '1s' });
    first.setSysctl('net/ipv4/ip_forward', 0);
    // In the same look, and after what is the node's.
    for (const _ of [1, 2]) {
      first.setSysctl(proxied(), 0);
      await until(
        () => first.sysctl(proxied()) === '1',
        'the setting of the link',
        () => first.log,
      );
    }
    assert.equal(first.sysctl('net/ipv4/ip_forward'), '0');
    await configureAnew({});
    assert.equal(first.sysctl('net/ipv4/ip_forward'), '1');
  });

  test('say whether routes are kept', async () => {
    const block = far.overlaid.block;
    const hasBlock = () => first.routes.some(({ destination }) => destination === block);
    const knows = (device: string, address: string) =>
      first.ip('neighbour', 'show', 'dev', device).includes(`${address} lladdr`);
    await configureAnew({ routeSyncDisabled: true });
    const { podLink } = first;
    first.ip('link', 'set', podLink, 'down');
    first.ip('route', 'delete', block);
    // Other parts of the same links are set right, and for the second time when all of the first look is over.
    for (const _ of [1, 2])
      for (const [device, address] of [
        [podLink, first.address(4)],
        ['vxlan.calico', farTunnel],
      ] as const) {
        await until(
          () => knows(device, address),
          `${address} to be known`,
          () => first.log,
        );
        first.ip('neighbour', 'delete', address, 'dev', device);
        await until(
          () => knows(device, address),
          `${address} to be known again`,
          () => first.log,
        );
      }
    assert.equal(first.link(podLink)?.up, true);
    assert.deepEqual([podRoutes(), hasBlock()], [[], false]);
    await configureAnew({});
    await untilRouted();
    await until(hasBlock, 'the route to the block', () => first.log);
  });

  test('say how much is logged, at once', async () => {
    const before = first.log.length;
    const shown = { vxlanVNI: restartCases.vxlanVNI };
    await configure({ logSeverityScreen: 'Error', ...specOf(shown) });
    await untilShown(shown, first);
    assert.doesNotMatch(first.log.slice(before), /"level":30/);
  });
});
