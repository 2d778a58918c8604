// Whether the container runtime finds Calico's plugin, and every other that Calico's configuration calls.
import type { CniFacts, RuntimeFacts } from '../cni-facts.ts';
import type { Check, Finding } from '../finding.ts';
import type { NodeFacts } from '../node-facts.ts';

/** Those that install-cni brings; all others must be on the node already. */
const installed = ['calico', 'calico-ipam'];

const notFound = 'Setting up a pod fails with "failed to find plugin"';

export const cniInstalled: Check<NodeFacts> = {
  name: 'cni-not-installed',
  asks: "Calico's CNI plugin and its configuration are in place and come first, and so are the plugins that it calls",
  look: ({ node, cni }) => {
    const { folder, pluginFolder } = cni;
    const where = `node "${node}", ${folder}`;
    const again = `Let install-cni run again: kubectl delete pod -A -l k8s-app=calico-node --field-selector spec.nodeName=${node}`;
    const ours = cni.configurations.filter(({ plugins }) => plugins.includes('calico'));
    const [own] = ours;
    const [first] = cni.configurations;
    const isMissing = (name: string) => !cni.plugins.includes(name);
    const missing = installed.filter(isMissing);
    const called = own ? [...own.plugins, ...(own.ipam === undefined ? [] : [own.ipam])] : [];
    const missingOthers = [...new Set(called)].filter((name) => !installed.includes(name) && isMissing(name));
    return [
      ...(own
        ? []
        : [
            {
              severity: 'error' as const,
              what: 'No CNI configuration names Calico',
              where,
              why: 'The container runtime gives new pods no network, or that of another plugin',
              remedy: again,
            },
          ]),
      ...(own && first && first !== own
        ? [
            {
              severity: 'error' as const,
              what: `"${first.file}" comes before Calico's "${own.file}"`,
              where,
              why: first.fault
                ? `No runtime can read it (${first.fault}), and containerd takes the first by name and gives no pod a network`
                : `The container runtime takes the first by name, so new pods get the network of ${first.plugins.join(', ')}`,
              remedy: `If that network is not wanted any more, remove it on the node: rm ${folder}/${first.file}`,
            },
          ]
        : []),
      ...(ours.length > 1
        ? [
            {
              severity: 'error' as const,
              what: `${ours.map(({ file }) => `"${file}"`).join(' and ')} both name Calico`,
              where,
              why: 'The container runtime takes the first by name; install-cni writes one of them, and another installation has left the other',
              remedy: `Remove the one that is not of this installation, whose name is CNI_CONF_NAME of the DaemonSet, and else 10-calico.conflist: rm ${folder}/FILE`,
            },
          ]
        : []),
      ...(missing.length > 0
        ? [
            {
              severity: 'error' as const,
              what: `The CNI plugin ${list(missing)} is missing`,
              where: `node "${node}", ${pluginFolder}`,
              why: notFound,
              remedy: `${again}; with SKIP_CNI_BINARIES unset`,
            },
          ]
        : []),
      ...(own && missingOthers.length > 0
        ? [
            {
              severity: 'error' as const,
              what: `"${own.file}" calls the CNI plugin ${list(missingOthers)}, which is missing`,
              where: `node "${node}", ${pluginFolder}`,
              why: notFound,
              remedy: `Put it there: the distribution's package containernetworking-plugins has it (copy or link it out of /usr/lib/cni or /usr/libexec/cni), so has Kubernetes' own package kubernetes-cni, and the archive at https://github.com/containernetworking/plugins/releases; or take it out of the configuration (cni_network_config in the ConfigMap calico-config, cni.chained of the chart)`,
            },
          ]
        : []),
      ...(own?.ipam !== undefined && cni.brokenLinks.includes(own.ipam)
        ? [
            {
              severity: 'error' as const,
              what: `"${own.file}" has addresses of the CNI plugin "${own.ipam}", which is a link to what calico-node's container does not see`,
              where: `node "${node}", ${pluginFolder}`,
              why: 'calico-node itself calls the plugin that gives addresses, and in its container there is this folder alone: no pod gets an address',
              remedy: `Put a copy of the plugin in the place of the link, on the node: ${copyInPlace(`${pluginFolder}/${own.ipam}`)}`,
            },
          ]
        : []),
    ];
  },
};

/** Where its kubelet's runtime is one of several, it is not known which, and one that finds Calico will do. */
export const runtimeLooksThere: Check<NodeFacts> = {
  name: 'runtime-looks-elsewhere',
  asks: 'the container runtime, as its own configuration says, looks for plugins and networks where Calico has put its own',
  look: ({ node, cni }) => [
    ...(cni.plugins.includes('calico') && cni.runtimes.every(({ plugins }) => !plugins.includes('calico'))
      ? cni.runtimes.map((runtime) => pluginsElsewhere(node, cni, runtime))
      : []),
    ...(cni.configurations.some(({ plugins }) => plugins.includes('calico')) &&
    cni.runtimes.every(({ namesCalico }) => !namesCalico)
      ? cni.runtimes.map((runtime) => networkElsewhere(node, cni, runtime))
      : []),
  ],
};

function pluginsElsewhere(node: string, cni: CniFacts, runtime: RuntimeFacts): Omit<Finding, 'check'> {
  const { name, file, pluginFolders } = runtime;
  return {
    severity: 'error',
    what: `${name} looks for CNI plugins in ${pluginFolders.join(' and ')}, and Calico's are in ${cni.pluginFolder}`,
    where: `node "${node}", ${file}`,
    why: notFound,
    remedy: `Install Calico with cni.binFolder=${pluginFolders[0]} of the chart, in the manifest the path of the volume "cni-bin"; or let ${name} look in ${cni.pluginFolder} as well, and start it again`,
  };
}

function networkElsewhere(node: string, cni: CniFacts, runtime: RuntimeFacts): Omit<Finding, 'check'> {
  const { name, file, netFolder } = runtime;
  return {
    severity: 'error',
    what: `${name} looks for CNI configurations in ${netFolder}, and Calico's is in ${cni.folder}`,
    where: `node "${node}", ${file}`,
    why: 'The node is not Ready ("cni plugin not initialized"), or its pods get the network of another plugin',
    remedy: `Install Calico with cni.configurationFolder=${netFolder} of the chart, in the manifest CNI_HOST_NET_DIR and the path of the volume "cni-net"; or let ${name} look in ${cni.folder}, and start it again`,
  };
}

function copyInPlace(path: string): string {
  return `cp --remove-destination "$(readlink -f ${path})" ${path}`;
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' and ');
}
