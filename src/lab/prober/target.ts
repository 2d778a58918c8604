// What a wave of probes is aimed at: a port of a pod, and the node whose sentinel the pod always hears.
import type { NodeSite, PodSite } from './site.ts';

export interface Target {
  readonly site: PodSite;
  readonly node: NodeSite;
  readonly port: number;
}
