// What the chart makes of values: odd ones it refuses by name, and those that work together stay together.

/** What is wrong with each of these must be said of that value. */
const refused: Readonly<Record<string, RegExp>> = {
  'networking=vxlann': /\/networking': value must be one of 'vxlan', 'bgp', 'none'/,
  'networkng=bgp': /'networkng' not allowed/,
  'pools.ipv4.cidr=10.0.0.0': /\/pools\/ipv4\/cidr'/,
  'pools.ipv6.blockSize=26': /\/pools\/ipv6\/blockSize'/,
  'mtu=big': /\/mtu': got string, want integer/,
  'logLevel=loud': /\/logLevel'/,
  'kubeControllers.replicas=two': /\/kubeControllers\/replicas'/,
  'cni.binFolder=opt/cni/bin': /\/cni\/binFolder'/,
  'policyAdmission=yes': /\/policyAdmission'/,
  'ipAutodetectionMethod=eth0': /\/ipAutodetectionMethod'/,
};

/**
 * Returns a sentence for each thing that is not so. `render` gives the objects of a chart with one value set, by that flag of Helm's, and
 * throws when there are none.
 */
export function faultsOfValues(render: (value: string, flag?: 'set' | 'set-json') => string): string[] {
  const faults = Object.entries(refused).flatMap(([value, reason]) => {
    const answer = refusalOf(() => render(value));
    return answer !== undefined && reason.test(answer)
      ? []
      : [`the chart takes ${value}, or does not say why not`];
  });
  const moved = render('felix.FELIX_HEALTHPORT=9100');
  if (/port: 9099/.test(moved) || (moved.match(/httpGet:.*port: 9100/g)?.length ?? 0) !== 3) {
    faults.push('the probes of calico-node do not follow felix.FELIX_HEALTHPORT');
  }
  // As they come from a file of values, where every number is a fraction to Helm.
  const parameters = render('felix={"FELIX_VXLANVNI":1000000,"FELIX_HEALTHENABLED":false}', 'set-json');
  if (
    !/FELIX_VXLANVNI, value: "1000000"/.test(parameters) ||
    !/FELIX_HEALTHENABLED, value: "false"/.test(parameters)
  )
    faults.push('parameters of Felix do not arrive as they were given');
  if (!/name: LOG_LEVEL, value: debug/.test(render('logLevel=debug')))
    faults.push('logLevel does not reach calico-kube-controllers');
  // Read from the ConfigMap when calico-node starts: without another template nothing would start it.
  if (checksum(render('mtu=1400')) === checksum(render('mtu=1401'))) {
    faults.push('a change of mtu does not reach a calico-node that runs');
  }
  // Without a cluster there is nobody who could say that it serves them.
  if (/MutatingAdmission/.test(render('policyAdmission=auto')))
    faults.push('policies of admission are there for a cluster that may not know them');
  for (const version of ['v1', 'v1beta1']) {
    const policies = render(`policyAdmission=${version}`).match(
      new RegExp(`/${version}\nkind: MutatingAdmissionPolicy\n`, 'g'),
    );
    if (policies?.length !== 2) faults.push(`policyAdmission=${version} does not bring its two policies`);
  }
  return faults;
}

function refusalOf(render: () => string): string | undefined {
  try {
    render();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checksum(objects: string): string | undefined {
  return /checksum\/config: (\S+)/.exec(objects)?.[1];
}
