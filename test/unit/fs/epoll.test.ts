// The state machine of epoll: level, edge, one-shot, nesting, and files that go away.

import { expect, test } from "bun:test";
import { EEXIST, EINVAL, ELOOP, ENOENT, EPERM } from "../../../src/abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../../src/abi/fcntl.ts";
import { EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, POLLHUP, POLLIN, POLLOUT } from "../../../src/abi/poll.ts";
import { EpollFile } from "../../../src/fs/anon/epoll.ts";
import { EventFile } from "../../../src/fs/anon/eventfd.ts";
import { createPipe } from "../../../src/fs/pipe/fifo.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { File } from "../../../src/vfs/file.ts";

const event = (initial = 0) => new EventFile(O_RDWR | O_NONBLOCK, initial, false);
const one = () => new KernelBuffer(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
const put = (file: File) => file.write(one());
const take = (file: File) => file.read(new KernelBuffer(new Uint8Array(8)));

function harvest(epoll: EpollFile, max = 16): [number, number][] {
  const got: [number, number][] = [];
  epoll.harvest(max, (item, events) => got.push([item.fd, events]));
  return got;
}

test("level-triggered files are reported as long as they are ready", () => {
  const epoll = new EpollFile();
  const file = event();
  expect(epoll.add(5, file, POLLIN, 0, 0)).toBe(0);
  expect(harvest(epoll)).toEqual([]);
  put(file);
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  take(file);
  expect(epoll.poll()).toBe(0);
  expect(harvest(epoll)).toEqual([]);
});

test("edge-triggered files are reported once for each event", () => {
  const epoll = new EpollFile();
  const file = event(1);
  epoll.add(5, file, POLLIN | EPOLLET, 0, 0);
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  expect(harvest(epoll)).toEqual([]);
  put(file);
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  expect(harvest(epoll)).toEqual([]);
});

test("one-shots sleep until they are set again", () => {
  const epoll = new EpollFile();
  const file = event(1);
  epoll.add(5, file, POLLIN | EPOLLONESHOT, 0, 0);
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  put(file);
  expect(harvest(epoll)).toEqual([]);
  expect(epoll.modify(5, file, POLLIN | POLLOUT | EPOLLONESHOT, 0, 0)).toBe(0);
  expect(harvest(epoll)).toEqual([[5, POLLIN | POLLOUT]]);
});

test("ready files take turns when there is little room", () => {
  const epoll = new EpollFile();
  for (let fd = 0; fd < 4; fd++) epoll.add(fd, event(1), POLLIN, 0, 0);
  const seen = [harvest(epoll, 2), harvest(epoll, 2), harvest(epoll, 3)].map((got) => got.map(([fd]) => fd));
  expect(seen).toEqual([
    [0, 1],
    [2, 3],
    [0, 1, 2],
  ]);
});

test("hang-ups are reported unasked", () => {
  const epoll = new EpollFile();
  const [reader, writer] = createPipe(0, 0, 0, 0);
  epoll.add(3, reader, 0, 0, 0);
  writer.unref();
  expect(harvest(epoll)).toEqual([[3, POLLHUP]]);
});

test("the last close of a file takes it out, a duplicate keeps it in", () => {
  const epoll = new EpollFile();
  const file = event(1);
  epoll.add(5, file.ref(), POLLIN, 0, 0);
  file.unref();
  expect(harvest(epoll)).toEqual([[5, POLLIN]]);
  file.unref();
  expect(harvest(epoll)).toEqual([]);
  const again = event(1);
  expect(epoll.add(5, again, POLLIN, 0, 0)).toBe(0);
  expect(epoll.add(5, again, POLLIN, 0, 0)).toBe(-EEXIST);
  expect(epoll.remove(5, file)).toBe(-ENOENT);
  expect(epoll.remove(5, again)).toBe(0);
  expect(again.waitQueue.empty).toBe(true);
});

test("sets inside sets", () => {
  const outer = new EpollFile();
  const inner = new EpollFile();
  const file = event();
  inner.add(5, file, POLLIN, 0, 0);
  expect(outer.add(6, inner, POLLIN, 0, 0)).toBe(0);
  expect(harvest(outer)).toEqual([]);
  put(file);
  expect(harvest(outer)).toEqual([[6, POLLIN]]);
  expect(inner.add(7, outer, POLLIN, 0, 0)).toBe(-ELOOP);
  expect(outer.add(8, outer, POLLIN, 0, 0)).toBe(-EINVAL);
  let chain = outer;
  const results: number[] = [];
  for (let i = 0; i < 5; i++) {
    const next = new EpollFile();
    results.push(next.add(9, chain, POLLIN, 0, 0));
    chain = next;
  }
  expect(results.slice(0, 2)).toEqual([0, 0]);
  expect(results).toContain(-ELOOP);
});

test("exclusive waits have few other flags, and cannot be changed", () => {
  const epoll = new EpollFile();
  const file = event();
  expect(epoll.add(5, file, POLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0, 0)).toBe(-EINVAL);
  expect(epoll.add(5, file, POLLIN | EPOLLEXCLUSIVE | EPOLLET, 0, 0)).toBe(0);
  expect(epoll.modify(5, file, POLLIN, 0, 0)).toBe(-EINVAL);
});

test("files that are always ready cannot be watched", () => {
  const epoll = new EpollFile();
  const always = { waitQueue: null } as unknown as File;
  expect(epoll.add(5, always, POLLIN, 0, 0)).toBe(-EPERM);
});

test("eventfd counts in 64 bits", () => {
  const file = event();
  const bytes = new Uint8Array(8).fill(0xff);
  expect(file.write(new KernelBuffer(bytes))).toBe(-EINVAL);
  bytes[0] = 0xfe;
  expect(file.write(new KernelBuffer(bytes))).toBe(8);
  expect(file.poll() & POLLOUT).toBe(0);
  const full = one();
  expect(file.write(full)).toBe(-11);
  expect(full.remaining).toBe(8);
  const io = new KernelBuffer(new Uint8Array(8));
  expect(file.read(io)).toBe(8);
  expect(io.bytes).toEqual(bytes);
  expect(take(file)).toBe(-11);
  const semaphore = new EventFile(O_RDWR | O_NONBLOCK, 2, true);
  expect([take(semaphore), take(semaphore), take(semaphore)]).toEqual([8, 8, -11]);
  expect(file.read(new KernelBuffer(new Uint8Array(7)))).toBe(-EINVAL);
});
