import { beforeAll, expect, test } from "bun:test";
import { EAGAIN, EINVAL } from "../../../src/abi/errno.ts";
import * as N from "../../../src/abi/inotify.ts";
import { shim } from "../../../src/host/shim.ts";
import { sys_inotify_add_watch, sys_inotify_init1, sys_inotify_rm_watch } from "../../../src/syscalls/inotify.ts";
import { Performer } from "./operations.ts";

beforeAll(() => {
  shim.mem_init(0, 0);
});

const OUT = 0xa0000;

class Session extends Performer {
  readonly fd = sys_inotify_init1(this.fake.task, 0o4000);

  watch(path: string, mask: number): number {
    return sys_inotify_add_watch(this.fake.task, this.fd, this.fake.memory.string(path), mask);
  }

  /** Queued events as "wd mask name"; moves get their cookie's place among the cookies too. */
  events(): string[] {
    const { memory, files } = this.fake;
    const length = files.get(this.fd)!.read(memory.buffer(OUT, 4096));
    const found: string[] = [];
    for (let at = OUT; at < OUT + length; at += 16 + memory.bytes.readUInt32LE(at + 12)) {
      const name = memory.bytes.toString("latin1", at + 16, at + 16 + memory.bytes.readUInt32LE(at + 12));
      const mask = memory.bytes.readUInt32LE(at + 4);
      found.push(`${memory.bytes.readInt32LE(at)} ${mask.toString(16)} ${name.replace(/\0+$/, "")}`.trimEnd());
    }
    return found;
  }
}

test("a directory's watcher hears of its entries", () => {
  const s = new Session();
  s.perform(["mkdir", -1, "d", 0o755]);
  expect(s.watch("d", N.IN_ALL_EVENTS)).toBe(1);
  s.perform(["open", 0, -1, "d/f", 0o101, 0o644]);
  s.perform(["close", 0]);
  s.perform(["rename", -1, "d/f", -1, "d/g", 0]);
  s.perform(["chmod", -1, "d/g", 0o600, 0]);
  s.perform(["unlink", -1, "d/g", 0]);
  expect(s.events()).toEqual(["1 100 f", "1 20 f", "1 8 f", "1 40 f", "1 80 g", "1 4 g", "1 200 g"]);
});

test("a watched inode's end is told last, and the watch is gone", () => {
  const s = new Session();
  s.perform(["mkdir", -1, "d", 0o755]);
  expect(s.watch("d", N.IN_DELETE_SELF | N.IN_ONLYDIR)).toBe(1);
  s.perform(["unlink", -1, "d", 0x200]);
  expect(s.events()).toEqual(["1 400", "1 8000"]);
  expect(sys_inotify_rm_watch(s.fake.task, s.fd, 1)).toBe(-EINVAL);
});

test("watching again changes the mask, one-shot watches end after an event, equal events join", () => {
  const s = new Session();
  s.perform(["mkdir", -1, "d", 0o755]);
  expect(s.watch("d", N.IN_CREATE)).toBe(1);
  expect(s.watch("d", N.IN_ATTRIB | N.IN_ONESHOT)).toBe(1);
  s.perform(["mkdir", -1, "d/e", 0o755]);
  s.perform(["chmod", -1, "d", 0o700, 0]);
  s.perform(["chmod", -1, "d", 0o755, 0]);
  expect(s.events()).toEqual(["1 40000004", "1 8000"]);
  expect(s.watch("d", N.IN_ATTRIB)).toBe(2);
  s.perform(["chmod", -1, "d", 0o700, 0]);
  s.perform(["chmod", -1, "d", 0o755, 0]);
  expect(s.events()).toEqual(["2 40000004"]);
  expect(s.fake.files.get(s.fd)!.read(s.fake.memory.buffer(OUT, 64))).toBe(-EAGAIN);
});

test("a buffer without room for the first event is refused", () => {
  const s = new Session();
  s.watch(".", N.IN_CREATE);
  s.perform(["mkdir", -1, "abc", 0o755]);
  expect(s.fake.files.get(s.fd)!.read(s.fake.memory.buffer(OUT, 31))).toBe(-EINVAL);
  expect(s.fake.files.get(s.fd)!.read(s.fake.memory.buffer(OUT, 32))).toBe(32);
});
