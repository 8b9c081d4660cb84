// Sockets of the host (socket(7)): never blocking. Families, options, addresses and control messages are Linux/arm64's
// on every host; every call returns a value or -errno.

import { ENAMETOOLONG } from "../abi/errno.ts";
import { AF_UNIX } from "../abi/socket.ts";
import { nativeString } from "./native-strings.ts";
import { SocketMessage } from "./shim.gen.ts";
import { pointerOf, shim } from "./shim.ts";

const ADDRESS_MAX = 128;
const CONTROL_MAX = 4096;
/** Most bytes of one message: no datagram is larger. */
export const MESSAGE_MAX = 65536;
const OPTION_MAX = 4096;
/** struct sock_fprog: u16 length, u64 pointer; struct sock_filter. */
const FPROG_BYTES = 16;
const FILTER_BYTES = 8;

const header = new Uint8Array(SocketMessage.sizeBytes);
const headerWords = new Uint32Array(header.buffer);
const headerPtr = pointerOf(header);
/** Bytes of a message on their way. */
export const messageBytes = new Uint8Array(MESSAGE_MAX);
const messagePtr = pointerOf(messageBytes);
const answer = new Uint8Array(OPTION_MAX);
const answerPtr = pointerOf(answer);

function staged(bytes: Uint8Array): number {
  answer.set(bytes.subarray(0, OPTION_MAX));
  return answerPtr;
}

/** The first `n` bytes of the answer, or the error that `n` is. */
function answered(n: number, max: number): Uint8Array | number {
  return n < 0 ? n : answer.slice(0, Math.min(n, max));
}

export const sockets = {
  open(domain: number, type: number, protocol: number): number {
    return shim.host_socket(domain, type, protocol);
  },
  /** The struct sockaddr_un of `name` in a directory of the host, or of the socket's file `fd` when the name is "". */
  pathAddress(fd: number, name: string): Uint8Array | number {
    const ptr = nativeString(name);
    if (ptr === 0) return -ENAMETOOLONG;
    const n = shim.host_socket_path(fd, ptr, answerPtr + 2, ADDRESS_MAX);
    if (n < 0) return n;
    answer[0] = AF_UNIX;
    answer[1] = 0;
    return answer.slice(0, 2 + n + 1);
  },
  bind(fd: number, address: Uint8Array): number {
    return shim.host_bind(fd, staged(address), address.length);
  },
  /** -EINPROGRESS while the connection is made: the descriptor becomes writable, and SO_ERROR says how it went. */
  connect(fd: number, address: Uint8Array): number {
    return shim.host_connect(fd, staged(address), address.length);
  },
  listen(fd: number, backlog: number): number {
    return shim.host_listen(fd, backlog);
  },
  accept(fd: number): number {
    return shim.host_accept(fd);
  },
  /** The own address, or the peer's. */
  name(fd: number, peer: boolean): Uint8Array | number {
    return answered(shim.host_socket_name(fd, peer ? 1 : 0, answerPtr, ADDRESS_MAX), ADDRESS_MAX);
  },
  shutdown(fd: number, how: number): number {
    return shim.host_shutdown(fd, how);
  },
  setOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return shim.host_set_option(fd, level, name, staged(value), Math.min(value.length, OPTION_MAX));
  },
  /** SO_ATTACH_FILTER and its like: the value is a struct sock_fprog, which points to the program. */
  attachFilter(fd: number, level: number, name: number, program: Uint8Array): number {
    const fprog = new DataView(new ArrayBuffer(FPROG_BYTES));
    fprog.setUint16(0, program.length / FILTER_BYTES, true);
    fprog.setBigUint64(8, BigInt(pointerOf(program)), true);
    return sockets.setOption(fd, level, name, new Uint8Array(fprog.buffer));
  },
  option(fd: number, level: number, name: number, max: number): Uint8Array | number {
    return answered(shim.host_get_option(fd, level, name, answerPtr, Math.min(max, OPTION_MAX)), OPTION_MAX);
  },

  /** Sends messageBytes[0, count) with an address (null: the peer) and control messages. */
  send(fd: number, count: number, flags: number, address: Uint8Array | null, control: Uint8Array): number {
    headerWords[SocketMessage.address_len / 4] = address === null ? 0 : Math.min(address.length, ADDRESS_MAX);
    headerWords[SocketMessage.control_len / 4] = Math.min(control.length, CONTROL_MAX);
    if (address !== null) header.set(address.subarray(0, ADDRESS_MAX), SocketMessage.address);
    header.set(control.subarray(0, CONTROL_MAX), SocketMessage.control);
    return shim.host_send(fd, messagePtr, count, flags, headerPtr);
  },

  /** Receives at most `count` bytes to messageBytes; what came along is in `received`. */
  receive(fd: number, count: number, flags: number): number {
    return shim.host_receive(fd, messagePtr, count, flags, headerPtr);
  },
  /** Of the last `receive`. */
  received: {
    get flags(): number {
      return headerWords[SocketMessage.flags / 4]!;
    },
    get address(): Uint8Array {
      const from = SocketMessage.address;
      return header.slice(from, from + Math.min(headerWords[SocketMessage.address_len / 4]!, ADDRESS_MAX));
    },
    get control(): Uint8Array {
      const from = SocketMessage.control;
      return header.slice(from, from + Math.min(headerWords[SocketMessage.control_len / 4]!, CONTROL_MAX));
    },
  },

  /** An ioctl whose argument, in and out, is `argument`. */
  ioctl(fd: number, command: number, argument: Uint8Array): number {
    answer.set(argument);
    const result = shim.host_socket_ioctl(fd, command, answerPtr);
    argument.set(answer.subarray(0, argument.length));
    return result;
  },
};
