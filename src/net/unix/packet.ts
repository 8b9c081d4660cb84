// What lies in a receive queue of a UNIX socket (struct sk_buff, struct unix_skb_parms): bytes, the sender, and what was
// sent along. Its size counts against the sender's SO_SNDBUF until it is gone.

import type { File } from "../../vfs/file.ts";
import type { PeerCredentials } from "../socket.ts";

/** Whose send buffer a packet occupies. */
export interface PacketOwner {
  packetGone(sizeBytes: number): void;
}

/** Linux's kmalloc sizes: what a packet of this many bytes costs (truesize). */
function cost(bytes: number): number {
  const HEAD = 320;
  const DESCRIPTOR = 256;
  return Math.max(512, 2 ** Math.ceil(Math.log2(bytes + HEAD))) + DESCRIPTOR;
}

export class Packet {
  readonly bytes: Uint8Array;
  /** Bytes [start, end) are still to be received. */
  start = 0;
  readonly end: number;
  files: File[] | null;
  readonly credentials: PeerCredentials;
  /** The sender's bound name, or null. */
  readonly from: string | null;
  readonly sizeBytes: number;
  private readonly owner: PacketOwner;

  constructor(
    bytes: Uint8Array,
    end: number,
    owner: PacketOwner,
    from: string | null,
    credentials: PeerCredentials,
    files: File[] | null,
  ) {
    this.bytes = bytes;
    this.end = end;
    this.owner = owner;
    this.from = from;
    this.credentials = credentials;
    this.files = files;
    this.sizeBytes = cost(bytes.length);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The packet leaves its queue: descriptors that nobody took are closed. */
  free(): void {
    if (this.files !== null) for (const file of this.files) file.unref();
    this.files = null;
    this.owner.packetGone(this.sizeBytes);
  }
}

/** First in, first out. */
export class PacketQueue {
  private packets: Packet[] = [];
  private head = 0;
  bytes = 0;

  get length(): number {
    return this.packets.length - this.head;
  }

  push(packet: Packet): void {
    this.packets.push(packet);
    this.bytes += packet.length;
  }

  /** The packet `index` places after the first. */
  at(index: number): Packet | undefined {
    return this.packets[this.head + index];
  }

  /** The first `count` bytes of the first packet are received. */
  consume(count: number): void {
    this.packets[this.head]!.start += count;
    this.bytes -= count;
  }

  /** Drops the first packet. */
  shift(): void {
    const packet = this.packets[this.head]!;
    this.bytes -= packet.length;
    this.head += 1;
    if (this.head === this.packets.length || this.head > 64) {
      this.packets = this.packets.slice(this.head);
      this.head = 0;
    }
    packet.free();
  }

  clear(): void {
    while (this.length > 0) this.shift();
  }
}
