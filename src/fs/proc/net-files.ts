// /proc/PID/net: the tables of sockets. DIFFERS: they have their headings alone, which is what programs that count
// connections expect to parse; the sockets of guests are not listed.

import { constant, type Node } from "../pseudo/table.ts";

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

export function netNodes<S>(): readonly Node<S>[] {
  return [
    constant("arp", ARP),
    constant("dev", DEV),
    constant("if_inet6", LO6),
    constant("igmp", "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"),
    constant("ipv6_route", ""),
    constant("netlink", "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"),
    constant("packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    constant(
      "protocols",
      "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re sp bi br ha uh gp em\n",
    ),
    constant("raw", UDP),
    constant("route", ROUTE),
    constant("sockstat", "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n"),
    constant("tcp", TCP),
    constant("tcp6", TCP6),
    constant("udp", UDP),
    constant("udp6", UDP6),
    constant("unix", UNIX),
  ];
}
