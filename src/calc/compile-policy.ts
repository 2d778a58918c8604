// A policy of the rule tree as a program for the dataplane: selectors become sets, which are acquired on the way.

import { namespaceLabel, type PeerMatch, type Policy, type Rule, type ServiceName } from '../policy/index.ts';
import { all, and, requiredLabels, type Selector } from '../selector/index.ts';
import { type AddressSets, type SetSource, serviceLabel } from './address-sets.ts';
import type { PeerProgram, PolicyProgram, RuleProgram } from './desired-state.ts';

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly program: PolicyProgram;
  /** Identifiers to release when the program is not used any more; one for every time it was acquired. */
  readonly sets: readonly string[];
}

export function compilePolicy(policy: Policy, sets: AddressSets): CompiledPolicy {
  const acquired: string[] = [];
  const acquire = (source: SetSource) => {
    const id = sets.acquire(source);
    acquired.push(id);
    return id;
  };
  const compile = (rules: readonly Rule[] | undefined, receivers: Selector | undefined) =>
    (rules ?? []).map((rule) => compileRule(rule, receivers, acquire));
  const program = {
    // What reaches a pod is for that pod, one of the policy's own: only their ports need to be known by name. What comes in
    // by a host endpoint may be for anybody, behind it or at another interface of the node.
    ingress: compile(policy.ingress, isAboutPods(policy) ? policy.selector : undefined),
    egress: compile(policy.egress, undefined),
    ...(policy.stage && { stage: policy.stage }),
    tier: policy.tier,
  };
  return { policy, program, sets: acquired };
}

/** Endpoints that belong to a namespace are pods. */
function isAboutPods({ selector }: Policy): boolean {
  return requiredLabels(selector).some(({ label }) => label === namespaceLabel);
}

function compileRule(
  { action, match, origin }: Rule,
  receivers: Selector | undefined,
  acquire: (source: SetSource) => string,
): RuleProgram {
  const { source, destination, ...plain } = match;
  const { protocol } = match;
  const peer = (side: PeerMatch, owners: Selector): PeerProgram => {
    const {
      selector,
      nodes,
      service: _,
      notSelector,
      namedPort,
      notNamedPorts,
      namedPortProtocol,
      ...rest
    } = side;
    const portSet = (name: string, among: Selector) =>
      acquire({ selector: among, port: { name, protocol: protocol ?? namedPortProtocol } });
    return {
      ...rest,
      // Whoever owns a named port of the peers is a peer, so that one set answers both questions.
      ...(namedPort !== undefined
        ? { portSet: portSet(namedPort, and(selector ?? all, owners)) }
        : selector && { set: acquire({ selector }) }),
      ...(nodes && { set: acquire({ selector: nodes, of: 'nodes' }) }),
      ...(notSelector && { notSet: acquire({ selector: notSelector }) }),
      ...(notNamedPorts && { notPortSets: notNamedPorts.map((name) => portSet(name, owners)) }),
    };
  };
  return {
    ...plain,
    action,
    origin,
    ...(source && {
      source: {
        ...peer(source, all),
        ...(source.service && { set: acquire({ selector: slicesOf(source.service), of: 'services' }) }),
      },
    }),
    ...(destination && {
      destination: {
        ...peer(destination, receivers ?? all),
        ...(destination.service && {
          portSet: acquire({ selector: slicesOf(destination.service), of: 'services', port: everyPort }),
        }),
      },
    }),
  };
}

const everyPort = { name: undefined, protocol: undefined };

/** EndpointSlices are contributors under the label that names their service, and no other. */
function slicesOf({ namespace, name }: ServiceName): Selector {
  return { kind: '==', label: serviceLabel, value: `${namespace}/${name}` };
}
