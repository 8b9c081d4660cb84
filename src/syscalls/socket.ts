// The rows of the socket calls. Few programs use sockets: what the calls do is loaded when the first one is made.

import * as S from "../abi/socket.ts";
import type { Task } from "../kernel/task.ts";
import {
  addr,
  fd,
  flags,
  full,
  inBuf,
  int,
  namesIn,
  outBuf,
  partial,
  type Row,
  row,
  size,
  struct,
  value,
} from "./row.ts";

// `require` takes 2 us however often it is asked.
let loadedCalls: typeof import("./socket-calls.ts") | undefined;
let loadedMessages: typeof import("./socket-messages.ts") | undefined;

function calls(): typeof import("./socket-calls.ts") {
  loadedCalls ??= require("./socket-calls.ts") as typeof import("./socket-calls.ts");
  return loadedCalls;
}

function messages(): typeof import("./socket-messages.ts") {
  loadedMessages ??= require("./socket-messages.ts") as typeof import("./socket-messages.ts");
  return loadedMessages;
}

export function sys_socket(task: Task, domain: number, type: number, protocol: number): number {
  return calls().socket(task, domain, type, protocol);
}

export function sys_socketpair(task: Task, domain: number, type: number, protocol: number, addr: number): number {
  return calls().socketpair(task, domain, type, protocol, addr);
}

export function sys_bind(task: Task, fd: number, addr: number, length: number): number {
  return calls().bind(task, fd, addr, length);
}

export function sys_listen(task: Task, fd: number, backlog: number): number {
  return calls().listen(task, fd, backlog);
}

export function sys_accept(task: Task, fd: number, addr: number, lengthAddr: number): number {
  return calls().accept(task, fd, addr, lengthAddr, 0);
}

export function sys_accept4(task: Task, fd: number, addr: number, lengthAddr: number, flags: number): number {
  return calls().accept(task, fd, addr, lengthAddr, flags);
}

export function sys_connect(task: Task, fd: number, addr: number, length: number): number {
  return calls().connect(task, fd, addr, length);
}

export function sys_getsockname(task: Task, fd: number, addr: number, lengthAddr: number): number {
  return calls().addressOf(task, fd, addr, lengthAddr, false);
}

export function sys_getpeername(task: Task, fd: number, addr: number, lengthAddr: number): number {
  return calls().addressOf(task, fd, addr, lengthAddr, true);
}

export function sys_shutdown(task: Task, fd: number, how: number): number {
  return calls().shutdown(task, fd, how);
}

export function sys_setsockopt(
  task: Task,
  fd: number,
  level: number,
  name: number,
  addr: number,
  length: number,
): number {
  return calls().setOption(task, fd, level, name, addr, length);
}

export function sys_getsockopt(
  task: Task,
  fd: number,
  level: number,
  name: number,
  addr: number,
  lengthAddr: number,
): number {
  return calls().getOption(task, fd, level, name, addr, lengthAddr);
}

export function sys_sendto(
  task: Task,
  fd: number,
  buffer: number,
  count: number,
  flags: number,
  addr: number,
  length: number,
): number {
  return messages().sendto(task, fd, buffer, count, flags, addr, length);
}

export function sys_recvfrom(
  task: Task,
  fd: number,
  buffer: number,
  count: number,
  flags: number,
  addr: number,
  lengthAddr: number,
): number {
  return messages().recvfrom(task, fd, buffer, count, flags, addr, lengthAddr);
}

export function sys_sendmsg(task: Task, fd: number, message: number, flags: number): number {
  return messages().sendmsg(task, fd, message, flags);
}

export function sys_recvmsg(task: Task, fd: number, message: number, flags: number): number {
  return messages().recvmsg(task, fd, message, flags);
}

export function sys_sendmmsg(task: Task, fd: number, vector: number, count: number, flags: number): number {
  return messages().sendmmsg(task, fd, vector, count, flags);
}

export function sys_recvmmsg(
  task: Task,
  fd: number,
  vector: number,
  count: number,
  flags: number,
  timeout: number,
): number {
  return messages().recvmmsg(task, fd, vector, count, flags, timeout);
}

const domain = value(namesIn(() => require("../abi/socket.ts"), /^AF_(?!MAX)/));
const level = value({ SOL_SOCKET: S.SOL_SOCKET, SOL_TCP: S.SOL_TCP });
const option = value(namesIn(() => require("../abi/socket.ts"), /^SO_/));
const msgFlags = flags(namesIn(() => require("../abi/socket.ts"), /^MSG_/));
const type = flags({
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_SEQPACKET: 5,
  SOCK_NONBLOCK: S.SOCK_NONBLOCK,
  SOCK_CLOEXEC: S.SOCK_CLOEXEC,
});
const how = value({ SHUT_RD: 0, SHUT_WR: 1, SHUT_RDWR: 2 });
const sockaddr = struct("sockaddr");
const families = partial(
  "UNIX sockets are the kernel's own, and the host's in its directories; IPv4, IPv6 and netlink are the host's; no other families",
);

export function rows(): Row[] {
  return [
    row(198, sys_socket, [domain, type, int], families),
    row(199, sys_socketpair, [domain, type, int, struct("int[2]")], full()),
    row(200, sys_bind, [fd, sockaddr, int], full()),
    row(201, sys_listen, [fd, int], full()),
    row(202, sys_accept, [fd, sockaddr, addr], full()),
    row(203, sys_connect, [fd, sockaddr, int], full()),
    row(204, sys_getsockname, [fd, sockaddr, addr], full()),
    row(205, sys_getpeername, [fd, sockaddr, addr], full()),
    row(206, sys_sendto, [fd, inBuf(2), size, msgFlags, sockaddr, int], full()),
    row(207, sys_recvfrom, [fd, outBuf(2), size, msgFlags, sockaddr, addr], full()),
    row(
      208,
      sys_setsockopt,
      [fd, level, option, inBuf(4), int],
      partial("no filters on UNIX sockets; SO_PEEK_OFF is not known"),
    ),
    row(209, sys_getsockopt, [fd, level, option, addr, addr], partial("no filters; SO_PEEK_OFF is not known")),
    row(210, sys_shutdown, [fd, how], full()),
    row(211, sys_sendmsg, [fd, struct("msghdr"), msgFlags], full()),
    row(212, sys_recvmsg, [fd, struct("msghdr"), msgFlags], full()),
    row(242, sys_accept4, [fd, sockaddr, addr, type], full()),
    row(243, sys_recvmmsg, [fd, struct("mmsghdr"), int, msgFlags, struct("timespec")], full()),
    row(269, sys_sendmmsg, [fd, struct("mmsghdr"), int, msgFlags], full()),
  ];
}
