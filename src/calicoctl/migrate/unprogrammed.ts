// What the old cluster does that nobody here would: an object that is copied and has no effect takes connections, or their
// encryption, away without a word.
import type { LegacyKind } from './legacy-kinds.ts';

type Spec = Readonly<Record<string, unknown>>;
type Why = readonly [is: (spec: Spec) => boolean, sentence: string];

const isOn = (value: unknown) => value === true;
const isUsed = (mode: unknown) => mode !== undefined && mode !== '' && mode !== 'Never';

const reasons: Readonly<Record<string, readonly Why[]>> = {
  IPPool: [
    [
      ({ ipipMode }) => isUsed(ipipMode),
      'spec.ipipMode: IP-in-IP is not programmed here; set it to "Never" in the old cluster, and vxlanMode to "Always" where nodes are not neighbours, before you migrate',
    ],
  ],
  FelixConfiguration: [
    [
      ({ bpfEnabled }) => isOn(bpfEnabled),
      'spec.bpfEnabled: the programs of the eBPF dataplane would stay attached; turn it off in the old cluster, with kube-proxy back in place, before you migrate',
    ],
    [
      ({ wireguardEnabled, wireguardEnabledV6 }) => isOn(wireguardEnabled) || isOn(wireguardEnabledV6),
      'spec.wireguardEnabled: WireGuard is not programmed here, and traffic between nodes would no longer be encrypted; turn it off in the old cluster before you migrate',
    ],
  ],
};

/** Sentences about what of an object would have no effect; empty when all has. */
export function unprogrammed({ to }: LegacyKind, spec: Spec = {}): string[] {
  return (reasons[to.kind] ?? []).filter(([is]) => is(spec)).map(([, sentence]) => sentence);
}
