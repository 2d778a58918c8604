// Whether a node's table is what a calculation from nothing makes of the cluster's objects: how a test knows that an agent it
// cannot look into has taken in all that was written. Waits for the kernel's own word that the table has changed.
import { Calculator, type DesiredState } from '../../../src/calc/index.ts';
import { Isolation } from '../../../src/dataplane/nftables/isolation.ts';
import { generationOf } from '../../../src/dataplane/nftables/judgement.ts';
import { defaultMarks } from '../../../src/dataplane/nftables/marks.ts';
import { sets, table } from '../../../src/dataplane/nftables/names.ts';
import { stampIn } from '../../../src/dataplane/nftables/overtaken.ts';
import { Program, type ProgramOptions } from '../../../src/dataplane/nftables/program.ts';
import { differences } from '../../../src/dataplane/nftables/table-difference.ts';
import { TableImage } from '../../../src/dataplane/nftables/table-image.ts';
import { TableReading } from '../../../src/dataplane/nftables/table-reading.ts';
import { Nftables, type Watch, watchTable } from '../../../src/kernel/index.ts';
import { everythingIn } from '../everything-in.ts';

/** What the objects say, as every node is to calculate it. */
export interface Calculation {
  readonly tell: (calculator: Calculator) => void;
  readonly options: ProgramOptions;
}

const deadlineMs = 30_000;

export class ExpectedTable {
  readonly #node: string;
  readonly #kernel: Nftables;
  readonly #watch: Watch;
  #wake: () => void = () => {};

  constructor(node: string, namespace: number) {
    this.#node = node;
    this.#kernel = Nftables.open({ namespace });
    this.#watch = watchTable({ table, ownPort: this.#kernel.port, namespace }, () => this.#wake());
  }

  close(): void {
    this.#watch.close();
    this.#kernel.close();
  }

  /** Resolves when the kernel holds it. @throws Error that names the first difference when it does not in time */
  async reached(
    { tell, options }: Calculation,
    interfaces: ReadonlyMap<string, readonly string[]>,
    deaths: () => readonly string[],
  ): Promise<void> {
    const calculator = new Calculator({ node: this.#node });
    tell(calculator);
    for (const [name, addresses] of interfaces) calculator.setInterface(name, addresses);
    calculator.takeChanges();
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const touched = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const difference = this.#difference(calculator.state, options);
      if (difference === undefined) return;
      const [death] = deaths();
      if (death) throw new Error(death);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${this.#node} does not come to hold what it should: ${difference}`);
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(() => timer.resolve(), left);
      await Promise.race([touched, timer.promise]);
      clearTimeout(timeout);
    }
  }

  #difference(state: DesiredState, options: ProgramOptions): string | undefined {
    const [generation = 0] = this.#kernel
      .listElements(table, sets.judged)
      .map((element) => generationOf(options.marks ?? defaultMarks, element));
    const stamp = stampIn(options.marks ?? defaultMarks, this.#kernel.listElements(table, sets.stamp));
    const image = new TableImage();
    const program = new Program(options, new Isolation());
    program.begin(image);
    program.change(image, state, everythingIn(state), { generation, stamp });
    for (const difference of differences(image, TableReading.of(this.#kernel, table)))
      if (difference) return difference.what;
    return undefined;
  }
}
