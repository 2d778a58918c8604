// The C library through koffi: the only place that knows how a system call is called from JavaScript.
// What a call means belongs to the rooms beside this file.
import os from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

/** The C library's functions as they are: -1 means failure and `koffi.errno()` holds why. Prefer `checked`. */
export const c = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint length)'),
  connect: libc.func('int connect(int fd, const void *address, uint length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept4: libc.func('int accept4(int fd, _Out_ void *address, _Inout_ uint *length, int flags)'),
  getsockname: libc.func('int getsockname(int fd, _Out_ void *address, _Inout_ uint *length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint length)'),
  getsockopt: libc.func(
    'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint *length)',
  ),
  send: libc.func('long send(int fd, const void *buffer, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, _Out_ void *buffer, size_t length, int flags)'),
  sendto: libc.func(
    'long sendto(int fd, const void *buffer, size_t length, int flags, const void *to, uint toLength)',
  ),
  recvfrom: libc.func(
    'long recvfrom(int fd, _Out_ void *buffer, size_t length, int flags, _Out_ void *from, _Inout_ uint *fromLength)',
  ),
  poll: libc.func('int poll(_Inout_ void *fds, ulong count, int timeoutMs)'),
  eventfd: libc.func('int eventfd(uint initial, int flags)'),
  open: libc.func('int open(const char *path, int flags, int mode)'),
  close: libc.func('int close(int fd)'),
  read: libc.func('long read(int fd, _Out_ void *buffer, size_t length)'),
  write: libc.func('long write(int fd, const void *buffer, size_t length)'),
  setns: libc.func('int setns(int fd, int kind)'),
  unshare: libc.func('int unshare(int flags)'),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)',
  ),
  sched_setscheduler: libc.func('int sched_setscheduler(int pid, int policy, const void *parameters)'),
  sched_getcpu: libc.func('int sched_getcpu()'),
  sched_setaffinity: libc.func('int sched_setaffinity(int pid, size_t size, const void *mask)'),
  ioctl: libc.func('int ioctl(int fd, ulong request, ulong argument)'),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  syscall: libc.func('long syscall(long number, long first, long second, long third)'),
} as const;

/** A system call that failed: which call, on what, and the kernel's reason. `code` is the errno's name, as in Node's own errors. */
export class KernelError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(what: string, errno: number, detail?: string) {
    const code = errnoName(errno);
    super(`${what}: ${code}${detail ? ` (${detail})` : ''}`);
    this.name = 'KernelError';
    this.code = code;
    this.errno = errno;
  }
}

/** Passes a system call's result through, or throws a KernelError that says what was attempted. */
export function checked(result: number, what: string): number {
  if (result < 0) throw new KernelError(what, koffi.errno());
  return result;
}

/** The errno of the last failed call on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

const names = new Map(Object.entries(os.constants.errno).map(([name, value]) => [value, name]));

/** "ENOENT" for 2; "errno 524" for one that has no name here. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

export const errno = os.constants.errno;

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Attaches a classic BPF program of 8-byte instructions to a socket. struct sock_fprog { u16 length; (pad) void *filter; } */
export function attachFilter(fd: number, program: Buffer): void {
  const fprog = Buffer.alloc(16);
  fprog.writeUInt16LE(program.length / 8);
  fprog.writeBigUInt64LE(BigInt(koffi.address(program)), 8);
  checked(c.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, fprog.length), 'Cannot filter a socket');
}
