// How packets find the host endpoints that have a say about them: by the interface's name, and else by the one that stands for
// all interfaces, if there is one.
import type { HostEndpointProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import { goTo } from './matches.ts';
import { type HostPlace, hostChain, hostDispatch } from './names.ts';
import { dispatch, type InterfaceKey, isNoWorkload, isWorkload } from './packet-tests.ts';

export class HostQuestions {
  readonly #programs: ReadonlyMap<string, HostEndpointProgram>;
  readonly #foreign: readonly string[];

  /** `programs` by interface; `foreign` are prefixes of other workloads' interfaces. */
  constructor(programs: ReadonlyMap<string, HostEndpointProgram>, foreign: readonly string[]) {
    this.#programs = programs;
    this.#foreign = foreign;
  }

  /** Whether any endpoint has a say in that place. */
  has(place: HostPlace): boolean {
    return [...this.#programs.values()].some((program) => hasChain(place, program));
  }

  /** The map's word, else that of the endpoint of all interfaces: pods' are among them only where packets are passed on. */
  ask(place: HostPlace, key: InterfaceKey, when: readonly Expression[] = []): Expression[][] {
    const isPassedOn = place === 'forwardIn' || place === 'forwardOut';
    const covered = isPassedOn ? [] : isNoWorkload(key, this.#foreign);
    return [
      [...when, ...dispatch(key, hostDispatch(place))],
      ...(this.#isOfAll(place) ? [[...when, ...covered, goTo(hostChain(place, '*', 0))]] : []),
    ];
  }

  /** Before translation pods' packets are asked, too: a node port is the node's, whoever calls it. */
  preDNATOfPods(key: InterfaceKey, when: readonly Expression[] = []): Expression[][] {
    return this.#isOfAll('preDNAT')
      ? [[...when, ...isWorkload(key), goTo(hostChain('preDNAT', '*', 0))]]
      : [];
  }

  #isOfAll(place: HostPlace): boolean {
    const all = this.#programs.get('*');
    return all !== undefined && hasChain(place, all);
  }
}

/** Whether the endpoint has a say in that place. */
export function hasChain(place: HostPlace, { forward, untracked, preDNAT }: HostEndpointProgram): boolean {
  switch (place) {
    case 'normalIn':
    case 'normalOut':
    case 'translatedIn':
    case 'translatedOut':
      return true;
    case 'forwardIn':
      return preDNAT.length + forward.ingress.length > 0;
    case 'forwardOut':
      return forward.egress.length > 0;
    case 'preDNAT':
      return preDNAT.length > 0;
    case 'untrackedIn':
    case 'untrackedInOriginal':
    case 'untrackedInReply':
      return untracked.ingress.length > 0;
    case 'untrackedOut':
    case 'untrackedOutOriginal':
    case 'untrackedOutReply':
      return untracked.egress.length > 0;
  }
}
