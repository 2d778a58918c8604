// Host endpoints in the table. There are few of them and they seldom change: when one does, all that is about them is
// written anew, in the transaction that brings the change; what policies say stands elsewhere and is not touched.
import type { Changes, DesiredState, HostEndpointProgram } from '../../calc/index.ts';
import type { Element, Expression } from '../../kernel/index.ts';
import { interfaceNameBytes } from './bytes.ts';
import { defaultFailsafePorts } from './failsafe.ts';
import { hostEndpointRules } from './host-endpoint-rules.ts';
import { type HostSkeletonOptions, hostSkeleton, mayReject } from './host-skeleton.ts';
import { defaultMarks } from './marks.ts';
import { type HostPlace, hostChain, hostDispatch, hostPlaces, isOfTranslated } from './names.ts';
import { defaultPath } from './path/index.ts';
import { skeletonSet } from './skeleton.ts';
import type { TableWriter } from './table-image.ts';

export type HostEndpointOptions = HostSkeletonOptions;

interface Written {
  /** Chains of the endpoints, and base chains; those that are always there are not among them. */
  readonly chains: ReadonlySet<string>;
  readonly rules: ReadonlyMap<string, readonly Expression[][]>;
  readonly elements: ReadonlyMap<HostPlace, readonly Element[]>;
}

const places = Object.keys(hostPlaces) as HostPlace[];

export class HostEndpointChains {
  readonly #options: HostEndpointOptions;
  #written: Written | undefined;

  constructor(options: HostEndpointOptions) {
    this.#options = options;
  }

  /** The first call writes, whatever has changed. */
  change(transaction: TableWriter, { hostEndpoints }: DesiredState, changes: Changes): void {
    const before = this.#written;
    if (before && changes.hostEndpoints.size === 0) return;
    const { bases, rules: fixed } = hostSkeleton(hostEndpoints, this.#options);
    const rules = new Map(fixed);
    const elements = new Map<HostPlace, readonly Element[]>();
    const hasTranslated = mayReject(this.#options.path ?? defaultPath);
    for (const place of places.filter((one) => hasTranslated || !isOfTranslated(one))) {
      const named = [...hostEndpoints].map(([name, program]) => this.#place(rules, place, name, program));
      elements.set(place, named.flat());
    }
    const isBase = (name: string) => bases.some((base) => base.name === name);
    const chains = new Set([...rules.keys()].filter((name) => isBase(name) || !fixed.has(name)));

    for (const [place, list] of before?.elements ?? [])
      transaction.deleteElements(skeletonSet(hostDispatch(place)), list);
    for (const name of before?.rules.keys() ?? []) transaction.flushChain(name);
    for (const name of before?.chains ?? []) if (!chains.has(name)) transaction.deleteChain(name);
    for (const name of chains) {
      if (before?.chains.has(name)) continue;
      transaction.addChain(bases.find((base) => base.name === name) ?? { name });
    }
    for (const [chain, list] of rules)
      for (const expressions of list) transaction.addRule({ chain, expressions });
    for (const [place, list] of elements) transaction.addElements(skeletonSet(hostDispatch(place)), list);
    this.#written = { chains, rules, elements };
  }

  /** Adds the rules of the endpoint's chains in one place, and returns its element in the map. */
  #place(
    rules: Map<string, readonly Expression[][]>,
    place: HostPlace,
    interfaceName: string,
    program: HostEndpointProgram,
  ): Element[] {
    const all = hostEndpointRules(
      place,
      interfaceName,
      program,
      this.#options.failsafe ?? defaultFailsafePorts,
      this.#options.marks ?? defaultMarks,
    );
    for (const [n, list] of all.entries()) rules.set(hostChain(place, interfaceName, n), list);
    if (interfaceName === '*') return [];
    const key = interfaceNameBytes(interfaceName);
    const chain = hostChain(place, interfaceName, 0);
    // An interface with an endpoint of its own has no part in that of all interfaces, even where it has nothing to say.
    return [{ key, verdict: all.length > 0 ? { code: 'goto', chain } : { code: 'accept' } }];
  }
}
