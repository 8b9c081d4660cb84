// Pipes against a plain model, and the rules of pipe(7) one by one.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { EAGAIN, EBUSY, EINVAL, EPERM, EPIPE } from "../../../src/abi/errno.ts";
import { O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../../../src/abi/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../../src/abi/poll.ts";
import { anonymousInode } from "../../../src/fs/anon/anonymous-inode.ts";
import { createPipe } from "../../../src/fs/pipe/fifo.ts";
import type { PipeFile } from "../../../src/fs/pipe/pipe.ts";
import { PipeBuffer } from "../../../src/fs/pipe/pipe-buffer.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import { openFifo } from "../../../src/vfs/devices.ts";

const pipe = (flags = 0) => createPipe(flags, 0, 0, 0);

function bytesFrom(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed + i * 7) & 0xff);
}

function write(file: PipeFile, bytes: Uint8Array): number {
  return file.write(new KernelBuffer(bytes));
}

function read(file: PipeFile, count: number): Uint8Array | number {
  const io = new KernelBuffer(new Uint8Array(count));
  const n = file.read(io);
  return n < 0 ? n : io.bytes.subarray(0, n);
}

test("bytes come out as they went in, whatever the sizes", () => {
  const step = fc.record({ write: fc.boolean(), size: fc.oneof(fc.nat(40), fc.nat(9000), fc.nat(70000)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [reader, writer] = pipe(O_NONBLOCK);
      let model = Buffer.alloc(0);
      for (const { write: writes, size } of steps) {
        if (writes) {
          const bytes = bytesFrom(model.length, size);
          const n = write(writer, bytes);
          expect(n === -EAGAIN || (n >= 0 && n <= size)).toBe(true);
          if (n > 0 && size <= 4096) expect(n).toBe(size);
          if (n > 0) model = Buffer.concat([model, bytes.subarray(0, n)]);
        } else {
          const got = read(reader, size);
          if (typeof got === "number") {
            expect(got).toBe(-EAGAIN);
            expect(model.length).toBe(0);
          } else {
            expect(got.length).toBe(Math.min(size, model.length));
            expect(Buffer.compare(got, model.subarray(0, got.length))).toBe(0);
            model = model.subarray(got.length);
          }
        }
        expect(reader.pipe.buffer.bytes).toBe(model.length);
      }
      reader.unref();
      writer.unref();
    }),
    { numRuns: 200 },
  );
});

test("65536 bytes fit, one at a time or all at once", () => {
  for (const size of [1, 3, 4096, 65536]) {
    const [reader, writer] = pipe(O_NONBLOCK);
    let total = 0;
    for (let n = 0; n >= 0; total += Math.max(n, 0)) n = write(writer, bytesFrom(total, size));
    expect(total).toBe(size === 3 ? 16 * 1365 * 3 : 65536);
    expect(writer.poll()).toBe(0);
    expect(reader.poll()).toBe(POLLIN | POLLRDNORM);
  }
});

test("a pipe is writable when one slot is free", () => {
  const [reader, writer] = pipe(O_NONBLOCK);
  write(writer, bytesFrom(0, 65536));
  read(reader, 4095);
  expect(write(writer, bytesFrom(0, 1))).toBe(-EAGAIN);
  expect(writer.poll() & POLLOUT).toBe(0);
  read(reader, 1);
  expect(writer.poll()).toBe(POLLOUT | POLLWRNORM);
});

test("ends that are gone", () => {
  const [reader, writer] = pipe();
  write(writer, bytesFrom(0, 10));
  writer.unref();
  expect(reader.poll()).toBe(POLLIN | POLLRDNORM | POLLHUP);
  expect((read(reader, 100) as Uint8Array).length).toBe(10);
  expect((read(reader, 100) as Uint8Array).length).toBe(0);
  expect(reader.poll()).toBe(POLLHUP);
  const [r2, w2] = pipe();
  r2.unref();
  expect(write(w2, bytesFrom(0, 1))).toBe(-EPIPE);
  expect(write(w2, new Uint8Array(0))).toBe(0);
  expect(w2.poll()).toBe(POLLOUT | POLLWRNORM | POLLERR);
});

test("packets are read one by one, and what does not fit is lost", () => {
  const [reader, writer] = pipe(O_DIRECT);
  write(writer, bytesFrom(0, 100));
  write(writer, bytesFrom(50, 10));
  expect(read(reader, 20)).toEqual(bytesFrom(0, 20));
  expect(read(reader, 4096)).toEqual(bytesFrom(50, 10));
});

test("resizing keeps the content and refuses to lose any", () => {
  const [reader, writer] = pipe(O_NONBLOCK);
  write(writer, bytesFrom(3, 10000));
  expect(writer.pipe.setCapacity(8192, false)).toBe(-EBUSY);
  expect(writer.pipe.setCapacity(10000, false)).toBe(16384);
  expect(writer.pipe.setCapacity(0, false)).toBe(-EBUSY);
  expect(writer.pipe.setCapacity(2 ** 32, true)).toBe(-EINVAL);
  expect(writer.pipe.setCapacity(1 << 21, false)).toBe(-EPERM);
  expect(writer.pipe.setCapacity(1 << 21, true)).toBe(1 << 21);
  expect(read(reader, 65536)).toEqual(bytesFrom(3, 10000));
});

test("splicing and teeing between pipes", () => {
  const from = new PipeBuffer();
  const to = new PipeBuffer();
  from.write(new KernelBuffer(bytesFrom(1, 9000)), false);
  expect(from.copyTo(to, 5000)).toBe(5000);
  expect(from.bytes).toBe(9000);
  expect(from.moveTo(to, 1 << 20)).toBe(9000);
  expect([from.bytes, from.used, to.bytes]).toEqual([0, 0, 14000]);
  const io = new KernelBuffer(new Uint8Array(14000));
  expect(to.read(io)).toBe(14000);
  expect(io.bytes.subarray(5000)).toEqual(bytesFrom(1, 9000));
});

test("a FIFO's opens wait for each other", () => {
  // Any inode but that of an unnamed pipe.
  const inode = anonymousInode;
  const first = openFifo(inode, O_RDONLY) as PipeFile;
  expect(first.openPending()).toBe(-EAGAIN);
  const second = openFifo(inode, O_WRONLY) as PipeFile;
  expect([first.openPending(), second.openPending()]).toEqual([0, 0]);
  second.unref();
  expect(first.openPending()).toBe(0);
  expect(first.poll()).toBe(POLLHUP);
  first.unref();
  expect(openFifo(inode, O_WRONLY | O_NONBLOCK)).toBe(-6);
  const quiet = openFifo(inode, O_RDONLY | O_NONBLOCK) as PipeFile;
  expect([quiet.openPending(), quiet.poll()]).toEqual([0, 0]);
  const both = openFifo(inode, O_RDWR) as PipeFile;
  expect(both.openPending()).toBe(0);
  expect(both.poll()).toBe(POLLOUT | POLLWRNORM);
});

test("an unnamed pipe that is opened again waits for nobody", () => {
  const [reader, writer] = pipe();
  write(writer, bytesFrom(1, 3));
  writer.unref();
  const again = openFifo(reader.inode, O_RDONLY) as PipeFile;
  expect(again.openPending()).toBe(0);
  expect(read(again, 10)).toEqual(bytesFrom(1, 3));
  again.unref();
  reader.unref();
});
