// /proc/PID/net: the tables of sockets (net/ipv4/tcp_ipv4.c: get_tcp4_sock and its like, net/unix/af_unix.c: unix_seq_show) have those
// that guests have open; those of interfaces and routes are the host's, where the host has them.

import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM } from "../../abi/socket.ts";
import { constant, file, type Node } from "../pseudo/table.ts";
import type { ProcSocket, ProcSource } from "./source.ts";

const TCP =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n";
const UDP =
  "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n";
const TCP6 =
  "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const UDP6 =
  "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
const UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n";
const DEV =
  "Inter-|   Receive                                                |  Transmit\n" +
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" +
  "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n";
const ROUTE =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n";
const ARP = "IP address       HW type     Flags       HW address            Mask     Device\n";
const LO6 = "00000000000000000000000000000001 01 80 10 80       lo\n";

interface Subject {
  readonly source: ProcSource;
}

export function netNodes<S extends Subject>(): readonly Node<S>[] {
  const sockets = (name: string, heading: string, domain: number, type: number): Node<S> =>
    file(name, ({ source }) => internetTable(heading, source.sockets(), domain, type));
  const ofHost = (name: string, otherwise: string): Node<S> =>
    file(name, ({ source }) => source.hostNetTable(name) ?? otherwise);
  return [
    ofHost("arp", ARP),
    ofHost("dev", DEV),
    ofHost("if_inet6", LO6),
    constant("igmp", "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"),
    ofHost("ipv6_route", ""),
    constant("netlink", "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"),
    constant("packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    constant(
      "protocols",
      "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re sp bi br ha uh gp em\n",
    ),
    sockets("raw", UDP, AF_INET, SOCK_RAW),
    sockets("raw6", UDP6, AF_INET6, SOCK_RAW),
    ofHost("route", ROUTE),
    file("sockstat", ({ source }) => sockstat(source.sockets())),
    sockets("tcp", TCP, AF_INET, SOCK_STREAM),
    sockets("tcp6", TCP6, AF_INET6, SOCK_STREAM),
    sockets("udp", UDP, AF_INET, SOCK_DGRAM),
    sockets("udp6", UDP6, AF_INET6, SOCK_DGRAM),
    file("unix", ({ source }) => unixTable(source.sockets())),
  ];
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

/** Bytes of the address and the port in a struct sockaddr_in or _in6. */
const IP = { [AF_INET]: [4, 8], [AF_INET6]: [8, 24] } as const;

/** Words of the address as this machine has them in memory, then the port. */
function endpoint(address: Uint8Array | null, domain: typeof AF_INET | typeof AF_INET6): string {
  const [from, to] = IP[domain];
  let text = "";
  for (let at = from; at < to; at += 4) for (let i = 3; i >= 0; i -= 1) text += hex(address?.[at + i] ?? 0, 2);
  return `${text}:${hex(portOf(address), 4)}`;
}

function portOf(address: Uint8Array | null): number {
  return ((address?.[2] ?? 0) << 8) | (address?.[3] ?? 0);
}

function internetTable(heading: string, all: readonly ProcSocket[], domain: number, type: number): string {
  if (domain !== AF_INET && domain !== AF_INET6) return heading;
  const stream = type === SOCK_STREAM;
  let row = 0;
  let text = heading;
  for (const s of all) {
    // Nobody finds a socket that neither listens, is connected nor has a port.
    if (s.domain !== domain || s.type !== type || (stream ? s.state === TCP_CLOSE : portOf(s.local) === 0)) continue;
    const ends = `${endpoint(s.local, domain)} ${endpoint(s.peer, domain)} ${hex(s.state, 2)}`;
    const queues = `${hex(s.sending, 8)}:${hex(s.receiving, 8)} 00:00000000 00000000`;
    const owner = `${String(s.uid).padStart(5)} ${"0".padStart(8)} ${s.ino} ${stream ? 1 : 2} 0000000000000000`;
    const rest = stream ? (s.state === TCP_LISTEN ? " 100 0 0 10 0" : " 20 4 0 10 -1") : " 0";
    const line = `${String(row).padStart(stream ? 4 : 5)}: ${ends} ${queues} ${owner}${rest}`;
    text += `${domain === AF_INET ? line.padEnd(stream ? 149 : 127) : line}\n`;
    row += 1;
  }
  return text;
}

/** enum of net/tcp_states.h. */
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;
/** __SO_ACCEPTCON in the flags of a listener. */
const ACCEPTING = 0x10000;
const SS_UNCONNECTED = 1;
const SS_CONNECTED = 3;

function unixTable(all: readonly ProcSocket[]): string {
  let text = UNIX;
  for (const s of all) {
    if (s.domain !== AF_UNIX) continue;
    const flags = s.state === TCP_LISTEN ? ACCEPTING : 0;
    const state = s.peer !== null ? SS_CONNECTED : SS_UNCONNECTED;
    const numbers = `00000002 00000000 ${hex(flags, 8)} ${hex(s.type, 4)} ${hex(state, 2)}`;
    const path = s.path === null ? "" : ` ${s.path.replaceAll("\0", "@")}`;
    text += `0000000000000000: ${numbers} ${String(s.ino).padStart(5)}${path}\n`;
  }
  return text;
}

function sockstat(all: readonly ProcSocket[]): string {
  const count = (type: number): number => all.filter((s) => s.domain === AF_INET && s.type === type).length;
  const tcp = count(SOCK_STREAM);
  return [
    `sockets: used ${all.length}`,
    `TCP: inuse ${tcp} orphan 0 tw 0 alloc ${tcp} mem 0`,
    `UDP: inuse ${count(SOCK_DGRAM)} mem 0`,
    "UDPLITE: inuse 0",
    `RAW: inuse ${count(SOCK_RAW)}`,
    "FRAG: inuse 0 memory 0",
    "",
  ].join("\n");
}
