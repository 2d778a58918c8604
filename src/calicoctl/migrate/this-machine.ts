// What a dry run can say of the machine that it runs on: what calico-node will take out of its kernel, once its own rules are in force.

/** Lines; looks, and changes nothing. */
export async function describeLeftovers(): Promise<string[]> {
  if (process.getuid?.() !== 0) {
    return ['What would be taken out of a node is told where this runs as root on that node'];
  }
  try {
    const [{ findLeftovers }, { Nftables }] = await Promise.all([
      import('../../dataplane/index.ts'),
      import('../../kernel/index.ts'),
    ]);
    using kernel = Nftables.open();
    const { found, faults } = findLeftovers(kernel);
    return [
      found.length === 0
        ? 'Another Calico has left nothing on this machine that calico-node would take out'
        : 'calico-node would take out of this machine, once its own rules are in force:',
      ...found.map(({ what }) => `  ${what}`),
      ...found.flatMap(({ warning }) => warning ?? []),
      ...faults.map((fault) => (fault instanceof Error ? fault.message : String(fault))),
    ];
  } catch (error) {
    // What is to be copied is told all the same: where calicoctl is installed without koffi, say, which nodes alone need.
    const why = error instanceof Error ? error.message : String(error);
    return [`What would be taken out of this machine cannot be told: ${why}`];
  }
}
