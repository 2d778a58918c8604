// What containerd, kubelet and kube-proxy of a node are told, as files of their own formats. JSON is YAML.

export type ProxyMode = 'iptables' | 'nftables';

/** The image that holds a pod's namespaces open; imported, never pulled. */
export const pauseImage = 'calico-test.local/pause:1';

/** How containerd of a node is set up: as its project's guides and kubeadm's have it, or as Debian's package leaves it. */
export type ContainerdSetup = 'upstream' | 'debian';

/** Where containerd looks for CNI plugins, and other plugins are on such a machine. */
export const pluginFolders: Readonly<Record<ContainerdSetup, string>> = {
  upstream: '/opt/cni/bin',
  debian: '/usr/lib/cni',
};

/**
 * Debian's own file word for word, besides what a machine of tests asks for.
 * @param packaged The text of the package's file
 */
export function debianContainerdConfiguration(packaged: string): string {
  const table = '[plugins."io.containerd.grpc.v1.cri"]';
  if (!packaged.includes(table) || !packaged.includes(`bin_dir = "${pluginFolders.debian}"`)) {
    throw new Error(
      `Debian's containerd comes with another configuration than it did: there is no ${table}, or it looks for CNI plugins elsewhere than in ${pluginFolders.debian}`,
    );
  }
  return packaged.replace(table, () => `${table}\n${machineSettings}`);
}

const machineSettings = `  sandbox_image = "${pauseImage}"
  disable_apparmor = true
  # To be spared by the kernel more than oneself is takes a capability that machines of tests may lack.
  restrict_oom_score_adj = true`;

export function containerdConfiguration(runc: string): string {
  return `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
${machineSettings}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${runc}"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${pluginFolders.upstream}"
    conf_dir = "/etc/cni/net.d"
`;
}

export interface KubeletFacts {
  /** The node's own cgroup: several kubelets of one machine would take each other's pods for orphans below one root. */
  readonly cgroup: string;
  /** Paths of PEM files. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export function kubeletConfiguration({ cgroup, authority, certificate, key }: KubeletFacts): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certificate,
    tlsPrivateKeyFile: key,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    // The machine's disk and memory are not the cluster's to judge.
    evictionHard: {
      'imagefs.available': '0%',
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    // A hundred pods at once are to wait for the network, not for the client's throttle.
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    nodeStatusUpdateFrequency: '4s',
    clusterDomain: 'cluster.local',
    resolvConf: '',
    shutdownGracePeriod: '0s',
  };
}

/** Packets that do not come from pods are masqueraded: pods are known by their ranges where they are given, or else by their links. */
export function proxyConfiguration(
  mode: ProxyMode,
  kubeconfig: string,
  node: string,
  podRanges: readonly string[],
): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode,
    clientConnection: { kubeconfig },
    hostnameOverride: node,
    // These are the whole machine's, and cannot be set from a network namespace of its own.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    ...(podRanges.length > 0
      ? { detectLocalMode: 'ClusterCIDR', clusterCIDR: podRanges.join() }
      : { detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'cali' } }),
    iptables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
    nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
  };
}
