// What the network needs of the policy agent.
import type { WorkloadEndpoint } from '../policy/index.ts';
import type { Namespace, ObjectKey, Pod } from '../resources/index.ts';

export interface PolicyAgent {
  /** Whether everything that existed when the agent started is enforced. */
  readonly isInSync: boolean;
  /** Whether what was last wanted in the kernel is not known to be there. */
  readonly isInDoubt: boolean;
  /** The pod with that UID (any, when undefined) as the agent knows it; undefined when it does not. */
  localPod(key: ObjectKey, uid: string | undefined): Pod | undefined;
  /** Undefined when the agent does not know it. */
  namespace(name: string): Namespace | undefined;
  /** Resolves when the workload's policy is in the kernel. */
  attach(workload: WorkloadEndpoint): Promise<void>;
  /** Resolves when nothing in the kernel speaks of that container any more. */
  detach(workload: { namespace: string; pod: string }, containerId: string): Promise<void>;
}
