// Makes the host endpoints that every node is to have by itself, keeps them as they should be, and takes away those whose node or
// template is gone. Those that people made are left alone.

import { isDeepStrictEqual } from 'node:util';
import { ifUnchanged } from '../../datastore/index.ts';
import { WorkQueue } from '../../process/index.ts';
import { type HostEndpoint, hostEndpoints, keyOf, type Node, nodes } from '../../resources/index.ts';
import type { HostEndpointConfig } from '../configuration/running-config.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { ObjectCache } from '../object-cache.ts';
import { settleEach } from '../settle-each.ts';
import { createdBy, hostEndpointsByName, wantedHostEndpoints } from './wanted-host-endpoints.ts';

const everything = 'host endpoints';

export class HostEndpointController implements Controller {
  readonly name = 'hostendpoint';
  readonly #context: ControllerContext;
  readonly #config: HostEndpointConfig;
  readonly #nodes: ObjectCache<Node>;
  readonly #present: ObjectCache<HostEndpoint>;
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(context: ControllerContext, config: HostEndpointConfig) {
    const { datastore, log, reconcilerPeriodMs } = context;
    this.#context = context;
    this.#config = config;
    this.#queue = new WorkQueue({
      work: () => this.#reconcile(),
      onFailure: (_key, error) =>
        log.warn({ error }, 'Cannot settle the host endpoints of nodes; trying again'),
    });
    this.#nodes = new ObjectCache(datastore, nodes, (_key, states) => {
      // Nodes report their health every few seconds, which changes nothing here.
      const [before, now] = states.map((node) => wantedHostEndpoints(node, config));
      if (states.length < 2 || !isDeepStrictEqual(before, now)) this.#queue.add(everything);
    });
    this.#present = new ObjectCache(datastore, hostEndpoints, (_key, states) => {
      if (states.some(isOurs)) this.#queue.add(everything);
    });
    this.#queue.add(everything);
    if (reconcilerPeriodMs > 0) {
      this.#timer = setInterval(() => this.#queue.add(everything), reconcilerPeriodMs).unref();
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#nodes.stop();
    this.#present.stop();
    await this.#queue.stop();
  }

  async #reconcile(): Promise<void> {
    await Promise.all([this.#nodes.inSync, this.#present.inSync]);
    const wanted = hostEndpointsByName(this.#nodes.list(), this.#config);
    const spare = this.#present
      .list()
      .filter((present) => isOurs(present) && !wanted.has(keyOf(present)))
      // Of a node that cannot be read it is not known what it is to have: without any it would be open.
      .filter(({ spec }) => spec.node === undefined || !this.#nodes.unreadable.has(spec.node));
    await settleEach([...spare, ...wanted.values()], async (one) => {
      await ifUnchanged(() => (wanted.has(keyOf(one)) ? this.#bring(one) : this.#delete(one)));
    });
  }

  async #bring(wanted: HostEndpoint): Promise<void> {
    const { datastore, log } = this.#context;
    const present = this.#present.get(keyOf(wanted));
    if (!present) {
      await datastore.create(hostEndpoints, wanted);
      return;
    }
    if (!isOurs(present)) {
      log.warn(
        { hostEndpoint: wanted.metadata.name },
        'Somebody else made a host endpoint of the name that a node is to have one by; it is left alone',
      );
      return;
    }
    const comparable = ({ metadata: { labels, annotations = {} }, spec }: HostEndpoint) => ({
      labels,
      annotations,
      spec,
    });
    if (isDeepStrictEqual(comparable(present), comparable(wanted))) return;
    const { labels, annotations } = wanted.metadata;
    const { annotations: _former, ...metadata } = present.metadata;
    await datastore.update(hostEndpoints, {
      ...wanted,
      metadata: { ...metadata, ...(labels && { labels }), ...(annotations && { annotations }) },
    });
  }

  #delete({ metadata: { name, resourceVersion } }: HostEndpoint): Promise<void> {
    return this.#context.datastore.delete(
      hostEndpoints,
      { name },
      resourceVersion ? { resourceVersion } : {},
    );
  }
}

function isOurs({ metadata }: HostEndpoint): boolean {
  return metadata.labels?.[createdBy.label] === createdBy.value;
}
