// Which hostile objects are policies against the victim of hostile-templates.ts that no API server would take: whatever is wrong with
// them, they may close too much, but must not leave him open.
import { misfit, validate } from '../../src/resources/index.ts';
import type { HostileObject } from './hostile-objects.ts';

interface Spec {
  readonly podSelector?: Labelled;
  readonly subject?: { readonly namespaces?: Labelled };
}

interface Labelled {
  readonly matchLabels?: Readonly<Record<string, unknown>>;
}

export function isBrokenAgainstVictim({ kind, object }: HostileObject): boolean {
  const spec = (object as { readonly spec?: Spec }).spec;
  const isMisfit = misfit(kind, object) !== undefined;
  const faults = kind.schema ? validate(kind, object).map(({ path }) => path) : [];
  switch (`${kind.group} ${kind.kind}`) {
    case 'projectcalico.org NetworkPolicy':
    case 'projectcalico.org GlobalNetworkPolicy':
      // Whatever their rules say, they deny what these leave undecided, and their selector reads as the victim's or not at all.
      return faults.length > 0;
    case 'networking.k8s.io NetworkPolicy':
      return isMisfit && !isForOthers(spec?.podSelector, 'app', 'victim');
    case 'policy.networking.k8s.io ClusterNetworkPolicy':
      return (
        (isMisfit || faults.some((path) => /^spec\.(subject$|ingress\[0\]\.(action|from$))/.test(path))) &&
        !isForOthers(spec?.subject?.namespaces, 'team', 'victims')
      );
    default:
      return false;
  }
}

/** Whether the selector can be read, and names somebody else. */
function isForOthers(selector: Labelled | undefined, label: string, value: string): boolean {
  const labels = selector?.matchLabels;
  return typeof labels?.[label] === 'string' && labels[label] !== value;
}
