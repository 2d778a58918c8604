// `calicoctl ipam configure`: changes the cluster's rules of address management.
import { apiVersionOf, type IPAMConfiguration, ipamConfigurations } from '../../resources/index.ts';
import type { GlobalOptions } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession } from '../session.ts';

export interface ConfigureOptions extends GlobalOptions {
  readonly strictaffinity?: boolean;
  readonly maxBlocksPerHost?: number;
  readonly kubevirtIpPersistence?: 'Enabled' | 'Disabled';
  /** -1 removes the setting. */
  readonly ipCooldownSeconds?: number;
}

export async function configure(options: ConfigureOptions): Promise<number> {
  const { strictaffinity, maxBlocksPerHost, kubevirtIpPersistence, ipCooldownSeconds } = options;
  const changes: Partial<IPAMConfiguration['spec']> = {
    ...(strictaffinity !== undefined && { strictAffinity: strictaffinity }),
    ...(maxBlocksPerHost !== undefined && { maxBlocksPerHost }),
    ...(kubevirtIpPersistence && { kubeVirtVMAddressPersistence: kubevirtIpPersistence }),
    ...(ipCooldownSeconds !== undefined && ipCooldownSeconds >= 0 && { ipCooldownSeconds }),
  };
  if (Object.keys(changes).length === 0 && ipCooldownSeconds === undefined) {
    throw new CommandError('Say what to configure: "calicoctl ipam configure --help" lists the settings');
  }
  await using session = await openSession(options);
  const [stored] = await session.datastore.list(ipamConfigurations);
  const { ipCooldownSeconds: rest, ...kept } = stored?.spec ?? {
    strictAffinity: false,
    autoAllocateBlocks: true,
  };
  const isCooldownKept = rest !== undefined && ipCooldownSeconds !== -1;
  const spec = { ...kept, ...(isCooldownKept && { ipCooldownSeconds: rest }), ...changes };
  if (!spec.strictAffinity && !spec.autoAllocateBlocks) {
    throw new CommandError(
      'Cannot turn strict affinity off: blocks are not allocated automatically, so nodes without one could only borrow',
    );
  }
  if (!spec.strictAffinity && (spec.maxBlocksPerHost ?? 0) > 0) {
    throw new CommandError(
      'Cannot limit blocks per host without strict affinity: a node at its limit would borrow; add --strictaffinity=true',
    );
  }
  await (stored
    ? session.client.replace(ipamConfigurations, { ...stored, spec })
    : session.client.create(ipamConfigurations, {
        apiVersion: apiVersionOf(ipamConfigurations),
        kind: ipamConfigurations.kind,
        metadata: { name: 'default' },
        spec,
      }));
  for (const [setting, value] of Object.entries(changes))
    process.stdout.write(`Set ${setting} to ${value}\n`);
  if (ipCooldownSeconds === -1) process.stdout.write('Unset ipCooldownSeconds\n');
  return 0;
}
