// Loaded into calico-node by `--import`: lets a share of the changes of links, addresses, routes, neighbours and forwarding entries be
// refused as by a kernel that is out of memory or busy, and transactions of tables with too many changes that are about one thing as by a
// kernel that knows no such rule. The product knows nothing of it. Orders lie in the file CALICO_TEST_REFUSALS,
// which is read at the process's start and whenever SIGUSR2 comes; each refusal is a line of the file with `.log` behind its name.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { KernelError, Nftables, Rtnetlink, TransactionError } from '../../src/kernel/index.ts';
import { seeded } from './seeded.ts';

export interface RefusalOrders {
  /** Of all changes: 0 to 1. */
  readonly share: number;
  readonly seed: number;
  /** What is about a thing has its name in what an error says of it: 'Cannot add chain "cali-pi-KubernetesNetworkPolicy/shop/deny"'. */
  readonly ofTable?: { readonly name: string; readonly most: number };
}

type Change = Parameters<Rtnetlink['apply']>[0];

const { EBUSY, EINVAL, ENOBUFS, ENOMEM, ENOSPC } = constants.errno;
const errnos = [EBUSY, ENOBUFS, ENOMEM, ENOSPC];
const file = process.env.CALICO_TEST_REFUSALS;

let share = 0;
let random = seeded(0);
let ofTable: RefusalOrders['ofTable'];

function read(): void {
  if (file === undefined || !existsSync(file)) return;
  const orders = JSON.parse(readFileSync(file, 'utf8')) as RefusalOrders;
  share = orders.share;
  ofTable = orders.ofTable;
  random = seeded(orders.seed);
}

function refusal({ what }: Change): KernelError | undefined {
  if (random() >= share) return undefined;
  appendFileSync(`${file}.log`, `${what}\n`);
  return new KernelError(`Cannot ${what}`, errnos[Math.floor(random() * errnos.length)] ?? EBUSY);
}

function inject(): void {
  const { apply, applyAll, ensureAsync } = Rtnetlink.prototype;
  Rtnetlink.prototype.apply = function (change) {
    const error = refusal(change);
    if (error) throw error;
    apply.call(this, change);
  };
  Rtnetlink.prototype.ensureAsync = async function (change) {
    const error = refusal(change);
    if (error) throw error;
    return ensureAsync.call(this, change);
  };
  Rtnetlink.prototype.applyAll = function (changes) {
    const refused = changes.flatMap((change) => {
      const error = refusal(change);
      return error ? [{ change, error }] : [];
    });
    const made = changes.filter((change) => !refused.some((one) => one.change === change));
    return [...refused, ...applyAll.call(this, made)];
  };
  const { commit } = Nftables.prototype;
  Nftables.prototype.commit = function (transaction) {
    let changes = 0;
    for (let sequence = 1; ofTable && sequence <= transaction.size; sequence++) {
      const what = transaction.describe(sequence);
      if (!what.includes(ofTable.name) || ++changes <= ofTable.most) continue;
      appendFileSync(`${file}.log`, `${what}\n`);
      throw new TransactionError(transaction, [{ sequence, errno: EINVAL }]);
    }
    commit.call(this, transaction);
  };
  process.on('SIGUSR2', read);
  read();
}

if (file !== undefined && process.argv[1]?.endsWith('calico-node.ts')) inject();
