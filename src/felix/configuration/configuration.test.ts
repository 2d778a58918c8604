import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MemoryDatastore } from '../../datastore/index.ts';
import { type FelixConfiguration, felixConfigurations, nodes } from '../../resources/index.ts';
import { FollowedSettings } from './followed-settings.ts';
import { environmentLayer, fileLayer, objectLayers } from './layers.ts';
import { variableOf } from './parameter.ts';
import { parameterPage, parameterPagePath } from './parameter-table.ts';
import { anyParameters, type FelixSettings, type ParameterName, parameterNames } from './parameters/index.ts';
import { resolveSettings } from './resolve.ts';

/** Upstream's own table: field ("-" for those that only environment and file can say), variable, default. */
const upstream = readFileSync(join(import.meta.dirname, '../../../test/data/felix-parameters.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [field: string, variable: string, otherwise: string, use: string]);

const configuration = (
  name: string,
  spec: FelixConfiguration['spec'],
  creationTimestamp = '2026-01-01T00:00:00Z',
): FelixConfiguration => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'FelixConfiguration',
  metadata: { name, creationTimestamp },
  spec,
});

test("every parameter of upstream's is here, with its variable and its default, and one of our own", () => {
  const ours = new Map(parameterNames.map((name) => [variableOf(name, anyParameters[name]), name]));
  for (const [field, variable, otherwise] of upstream) {
    const name = ours.get(variable) ?? assert.fail(`${variable} is missing`);
    if (field !== '-') assert.equal(name, field);
    assert.equal(anyParameters[name].isLocal ?? false, field === '-', name);
    assert.equal(anyParameters[name].otherwise, otherwise, name);
  }
  const known = new Set(upstream.map(([, variable]) => variable));
  const extra = [...ours].filter(([variable]) => !known.has(variable)).map(([, name]) => name);
  assert.deepEqual(
    extra.filter((name) => !name.startsWith('debug')),
    ['establishedConnections'],
  );
});

/** What each of the most used parameters does here. */
const mostUsed: Readonly<
  Record<string, 'works' | 'another dataplane' | 'another platform' | 'not here yet' | 'fixed here'>
> = {
  FELIX_DATASTORETYPE: 'fixed here',
  FELIX_TYPHAK8SNAMESPACE: 'not here yet',
  FELIX_TYPHAK8SSERVICENAME: 'not here yet',
  FELIX_HEALTHENABLED: 'works',
  FELIX_HEALTHPORT: 'works',
  FELIX_LOGPREFIX: 'works',
  FELIX_LOGSEVERITYSCREEN: 'works',
  FELIX_PROMETHEUSMETRICSENABLED: 'works',
  FELIX_PROMETHEUSMETRICSPORT: 'works',
  FELIX_CHAININSERTMODE: 'fixed here',
  FELIX_DEFAULTENDPOINTTOHOSTACTION: 'works',
  FELIX_DEVICEROUTEPROTOCOL: 'works',
  FELIX_FAILSAFEINBOUNDHOSTPORTS: 'works',
  FELIX_FAILSAFEOUTBOUNDHOSTPORTS: 'works',
  FELIX_FLOATINGIPS: 'works',
  FELIX_IPFORWARDING: 'works',
  FELIX_IPV4ELEVATEDROUTEPRIORITY: 'not here yet',
  FELIX_IPV4NORMALROUTEPRIORITY: 'works',
  FELIX_INTERFACEEXCLUDE: 'works',
  FELIX_INTERFACEPREFIX: 'works',
  FELIX_IPV6SUPPORT: 'works',
  FELIX_MTUIFACEPATTERN: 'works',
  FELIX_NATOUTGOINGEXCLUSIONS: 'works',
  FELIX_NFTABLESMODE: 'fixed here',
  FELIX_PROGRAMCLUSTERROUTES: 'works',
  FELIX_REMOVEEXTERNALROUTES: 'works',
  FELIX_ROUTEREFRESHINTERVAL: 'works',
  FELIX_ROUTESOURCE: 'works',
  FELIX_SERVICELOOPPREVENTION: 'works',
  FELIX_WORKLOADSOURCESPOOFING: 'works',
  FELIX_IPSETSREFRESHINTERVAL: 'another dataplane',
  FELIX_IPTABLESBACKEND: 'another dataplane',
  FELIX_IPTABLESMARKMASK: 'another dataplane',
  FELIX_IPTABLESREFRESHINTERVAL: 'another dataplane',
  FELIX_KUBENODEPORTRANGES: 'another dataplane',
  FELIX_MAXIPSETSIZE: 'another dataplane',
  FELIX_NFTABLESMARKMASK: 'works',
  FELIX_BPFATTACHTYPE: 'another dataplane',
  FELIX_BPFCONNECTTIMELOADBALANCING: 'another dataplane',
  FELIX_BPFDATAIFACEPATTERN: 'another dataplane',
  FELIX_BPFENABLED: 'another dataplane',
  FELIX_BPFENFORCERPF: 'another dataplane',
  FELIX_BPFEXTERNALSERVICEMODE: 'another dataplane',
  FELIX_BPFKUBEPROXYIPTABLESCLEANUPENABLED: 'another dataplane',
  FELIX_BPFMAPSIZECONNTRACK: 'another dataplane',
  FELIX_BPFPSNATPORTS: 'another dataplane',
  FELIX_REPORTINGINTERVALSECS: 'another platform',
  FELIX_XDPENABLED: 'another dataplane',
  FELIX_VXLANMTU: 'works',
  FELIX_VXLANPORT: 'works',
  FELIX_VXLANVNI: 'works',
  FELIX_IPINIPMTU: 'not here yet',
  FELIX_WIREGUARDENABLED: 'not here yet',
  FELIX_WIREGUARDLISTENINGPORT: 'not here yet',
  FELIX_WIREGUARDMTU: 'not here yet',
  FELIX_FLOWLOGSFLUSHINTERVAL: 'not here yet',
  FELIX_FLOWLOGSGOLDMANESERVER: 'not here yet',
  FELIX_FLOWLOGSPOLICYEVALUATIONMODE: 'not here yet',
  FELIX_AWSSRCDSTCHECK: 'another platform',
  FELIX_USAGEREPORTINGENABLED: 'fixed here',
};

test('of the most used parameters none is forgotten: each works, or says why it has no effect', () => {
  const ours = new Map(parameterNames.map((name) => [variableOf(name, anyParameters[name]), name]));
  for (const [, variable] of upstream.filter(([, , , use]) => use === 'starred')) {
    const name = ours.get(variable) ?? assert.fail(variable);
    const { effect } = anyParameters[name];
    assert.equal(
      typeof effect === 'string',
      mostUsed[variable] === 'works',
      `${variable}: ${mostUsed[variable]}`,
    );
    assert.ok(mostUsed[variable], variable);
  }
});

test('the page of parameters is as the tables would have it today', () => {
  const path = join(import.meta.dirname, '../../..', parameterPagePath);
  assert.equal(readFileSync(path, 'utf8'), parameterPage(), 'stale: run "npm run generate"');
});

describe('where a value is taken from:', () => {
  const at = (
    environment: Record<string, string>,
    objects: FelixConfiguration[],
    labels: Record<string, string> = {},
  ) => {
    const chosen = objectLayers(objects, 'n1', new Map(Object.entries(labels)));
    const resolved = resolveSettings([environmentLayer(environment), ...chosen.layers]);
    return { ...resolved, faults: [...chosen.faults, ...resolved.faults] };
  };
  const everywhere = configuration('default', { healthPort: 1 });
  const here = configuration('node.n1', { healthPort: 3 });
  const selecting = configuration('zone', { healthPort: 2, nodeSelector: "zone == 'a'" });

  test('the environment before the node before a selector before all nodes before the default', () => {
    const port = (...args: Parameters<typeof at>) => at(...args).settings.healthPort;
    assert.equal(port({}, []), 9099);
    assert.equal(port({}, [everywhere]), 1);
    assert.equal(port({}, [everywhere, selecting]), 1, 'the selector does not select');
    assert.equal(port({}, [everywhere, selecting], { zone: 'a' }), 2);
    assert.equal(port({}, [everywhere, selecting, here], { zone: 'a' }), 3);
    assert.equal(port({}, [everywhere, configuration('node.n2', { healthPort: 4 })]), 1);
    assert.equal(port({ felix_HealthPort: '5' }, [everywhere, selecting, here], { zone: 'a' }), 5);
    assert.equal(port({ FELIX_HEALTHPORT: '' }, [everywhere]), 1, 'an empty variable is not set');
  });

  test('of several objects that select the node the oldest counts, and the others are named', () => {
    const older = configuration('z', { healthPort: 7, nodeSelector: "zone == 'a'" }, '2025-12-31T00:00:00Z');
    const { settings, faults } = at({}, [selecting, older], { zone: 'a' });
    assert.equal(settings.healthPort, 7);
    assert.match(faults.join(), /the oldest, "z", counts, and "zone" not/);
  });

  test('a file says what the environment does not, whatever its sections', () => {
    const folder = mkdtempSync(join(tmpdir(), 'felix-'));
    const path = join(folder, 'felix.cfg');
    try {
      writeFileSync(
        path,
        '# a comment\n[global]\nHealthPort = 5000\n[log]\nlogprefix: from file\nHealthHost =\n',
      );
      const layers = [environmentLayer({ FELIX_LOGPREFIX: 'from environment' }), fileLayer(path)];
      const { settings, faults } = resolveSettings(layers);
      assert.deepEqual(
        [settings.healthPort, settings.logPrefix, settings.healthHost, faults],
        [5000, 'from environment', 'localhost', []],
      );
      assert.equal(fileLayer(join(folder, 'none')).values.size, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("comments behind a value of a file, and quotes around it, are not part of it, as in upstream's reader", () => {
    const folder = mkdtempSync(join(tmpdir(), 'felix-'));
    const path = join(folder, 'felix.cfg');
    const saidBy = (text: string) => {
      writeFileSync(path, `[global]\r\nLogPrefix = ${text}\r\n`);
      return fileLayer(path).values.get('logprefix')?.raw;
    };
    try {
      for (const [text, expected] of [
        ['mine # why', 'mine'],
        ['mine ; why', 'mine'],
        ['mine#why;not', 'mine'],
        ['"mine"', 'mine'],
        ["'mine' # why", 'mine'],
        ['" mine "', ' mine '],
        ['"it\'s"', "it's"],
        ['a "mine"', 'a "mine"'],
        ['"mine', '"mine'],
        ['"a"b"', '"a"b"'],
        ['"mine # why"', '"mine'],
        ['`mine # 1; 2` # why', 'mine # 1; 2'],
        ['"""mine # "1"""" ; why', 'mine # "1"'],
        ['# why', undefined],
        ['"" # why', undefined],
      ] as const)
        assert.equal(saidBy(text), expected, text);
      writeFileSync(
        path,
        'HealthPort = 5000 # why\nLogPrefix = "mine"\nDefaultEndpointToHostAction = Accept ; x\n',
      );
      const { settings, faults } = resolveSettings([fileLayer(path)]);
      assert.deepEqual(
        [settings.healthPort, settings.logPrefix, settings.defaultEndpointToHostAction, faults],
        [5000, 'mine', 'Accept', []],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("upstream's variables count, where they have names of their own", () => {
    const { settings, faults } = at(
      {
        FELIX_IPINIPMTU: '1400',
        FELIX_REPORTINGINTERVALSECS: '7',
        FELIX_IPTABLESLOCKPROBEINTERVALMILLIS: '9',
      },
      [],
    );
    assert.deepEqual(
      [settings.ipipMTU, settings.reportingInterval, settings.iptablesLockProbeInterval, faults],
      [1400, 7000, 9, []],
    );
  });

  test('"none" takes away what a later source says', () => {
    const { settings } = at({ FELIX_FAILSAFEINBOUNDHOSTPORTS: 'none' }, [
      configuration('default', { failsafeInboundHostPorts: [{ protocol: 'TCP', port: 22 }] }),
    ]);
    assert.deepEqual(settings.failsafeInboundHostPorts, []);
  });

  test('a name that is nobody’s is told of', () => {
    assert.deepEqual(at({ FELIX_HEALTHPROT: '1' }, []).faults, [
      'environment variable FELIX_HEALTHPROT: there is no such parameter of Felix; it is ignored',
    ]);
  });
});

describe('values:', () => {
  const read = <Name extends ParameterName>(name: Name, raw: unknown): FelixSettings[Name] | undefined => {
    const value = anyParameters[name].kind.read(raw);
    return value as FelixSettings[Name] | undefined;
  };

  test('durations are sums of parts with units, or numbers of seconds', () => {
    assert.deepEqual(
      ['1m30s', '250ms', '90', '0s', '1.5h'].map((text) => read('routeRefreshInterval', text)),
      [90_000, 250, 90_000, 0, 5_400_000],
    );
    for (const text of ['', 'soon', '5 s', '3d', '-1s'])
      assert.equal(read('routeRefreshInterval', text), undefined);
  });

  test('words are taken in any case, and come out as the resource writes them', () => {
    assert.equal(read('defaultEndpointToHostAction', 'ACCEPT'), 'Accept');
    assert.equal(read('serviceLoopPrevention', 'reject'), 'Reject');
    assert.equal(read('chainInsertMode', 'prepend'), undefined);
  });

  test('failsafe ports are read from text and from the resource alike', () => {
    const net = { family: 4, network: 0x0a000000n, length: 8 };
    assert.deepEqual(read('failsafeInboundHostPorts', 'tcp:22, udp:10.0.0.0/8:53,80'), [
      { protocol: 6, port: 22 },
      { protocol: 17, port: 53, net },
      { protocol: 6, port: 80 },
    ]);
    assert.deepEqual(
      read('failsafeInboundHostPorts', [{ port: 22 }, { protocol: 'UDP', port: 53, net: '10.0.0.0/8' }]),
      [
        { protocol: 6, port: 22 },
        { protocol: 17, port: 53, net },
      ],
    );
    assert.equal(read('failsafeInboundHostPorts', 'udp:[fd00::]/8:53')?.[0]?.net?.family, 6);
    for (const text of ['tcp:0', 'tcp:70000', 'ip:22', 'tcp:nowhere:22'])
      assert.equal(read('failsafeInboundHostPorts', text), undefined, text);
  });

  test('interfaces are excluded by name, or by pattern between slashes', () => {
    const [name, pattern] = read('interfaceExclude', 'kube-ipvs0,/^veth/') ?? assert.fail();
    assert.deepEqual([name?.test('kube-ipvs0'), name?.test('kube-ipvs01')], [true, false]);
    assert.deepEqual([pattern?.test('veth7'), pattern?.test('eth0')], [true, false]);
  });

  test('ports, rates and masks have their bounds', () => {
    assert.deepEqual(read('natPortRange', '20000:29999'), { range: { first: 20000, last: 29999 } });
    assert.deepEqual(read('natPortRange', 0), { range: undefined });
    assert.equal(read('natPortRange', '5:4'), undefined);
    assert.deepEqual(read('logActionRateLimit', '10/minute'), { rate: { count: 10, seconds: 60 } });
    assert.equal(read('logActionRateLimit', '10/year'), undefined);
    assert.equal(read('nftablesMarkMask', '0x00ffff00'), 0x00ffff00);
    assert.equal(read('nftablesMarkMask', 0x7f), undefined);
  });
});

test('a value that is none is named, with where it stands and what would be right, and the default is used', () => {
  const layers = [
    environmentLayer({ FELIX_VXLANPORT: 'high' }),
    ...objectLayers(
      [configuration('default', { defaultEndpointToHostAction: 'Perhaps', vxlanPort: 5000 })],
      'n1',
      new Map(),
    ).layers,
  ];
  const { settings, faults } = resolveSettings(layers);
  assert.deepEqual([settings.vxlanPort, settings.defaultEndpointToHostAction], [4789, 'Drop']);
  assert.deepEqual([...faults].sort(), [
    'defaultEndpointToHostAction is "Perhaps" (FelixConfiguration "default", spec.defaultEndpointToHostAction); it must be "Drop" or "Accept" or "Return"; the default, "DROP", is used',
    'vxlanPort is "high" (environment variable FELIX_VXLANPORT); it must be a whole number from 1 to 65535; the default, "4789", is used',
  ]);
});

test('flags that count as not said unless somebody says them are read from text and from objects', () => {
  for (const name of ['vxlanEnabled', 'ipipEnabled', 'bpfConnectTimeLoadBalancingEnabled'] as const) {
    for (const value of [true, false, 'True', '']) {
      assert.equal(anyParameters[name].kind.read(value), String(value).toLowerCase());
    }
    assert.equal(anyParameters[name].kind.read('perhaps'), undefined);
  }
});

test('objects are followed, and what they change is told by name', async () => {
  const datastore = new MemoryDatastore();
  await datastore.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const faults: string[] = [];
  const followed = new FollowedSettings({
    node: 'n1',
    datastore,
    environment: { FELIX_VXLANPORT: '5000' },
    file: '/nonexistent/felix.cfg',
    onFault: (fault) => faults.push(fault),
  });
  try {
    const first = await followed.first;
    assert.deepEqual([first.vxlanPort, first.vxlanVNI], [5000, 4096]);
    let told = Promise.withResolvers<readonly [FelixSettings, readonly ParameterName[]]>();
    followed.watch(first, (settings, changed) => told.resolve([settings, changed]));
    await datastore.create(felixConfigurations, configuration('default', { vxlanVNI: 7, vxlanPort: 6000 }));
    assert.deepEqual((await told.promise)[1], ['vxlanVNI']);
    told = Promise.withResolvers();
    await datastore.create(
      felixConfigurations,
      configuration('zone', { vxlanVNI: 8, nodeSelector: "zone == 'a'" }),
    );
    await datastore.mergePatch(nodes, { name: 'n1' }, { metadata: { labels: { zone: 'a' } } });
    assert.equal((await told.promise)[0].vxlanVNI, 8);
    told = Promise.withResolvers();
    await datastore.delete(felixConfigurations, { name: 'zone' });
    assert.equal((await told.promise)[0].vxlanVNI, 7);
    assert.deepEqual(faults, []);
  } finally {
    followed.stop();
    await datastore.close();
  }
});

test('whatever a field of the object holds, it is one of its values or the default', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('10', '0x10', '1s', 'tcp:22', '10.0.0.0/8', '::/0', 'Enabled'),
  );
  const value = fc.oneof(
    text,
    fc.anything({ withNullPrototype: true }),
    fc.array(fc.oneof(text, fc.anything())),
    fc.constant({ toString: null }),
    fc.array(fc.record({ protocol: fc.anything(), port: fc.anything(), net: fc.anything() })),
  );
  fc.assert(
    fc.property(fc.constantFrom(...parameterNames), value, (name, raw) => {
      const spec = JSON.parse(JSON.stringify({ [name]: raw })) as FelixConfiguration['spec'];
      const { settings, faults } = resolveSettings(
        objectLayers([configuration('default', spec)], 'n', new Map()).layers,
      );
      assert.notEqual(settings[name], undefined);
      assert.ok(faults.length <= 1);
    }),
    { numRuns: 1_000 },
  );
});
