//! The differential tester's way `edits`: between the cases the data pages get other frames, lose and get rights, vanish and come
//! back, are copied and shared with forked spaces, and the CPU is bound to others. What an engine remembers of where memory lies must
//! keep up with all of that. The same edits are made for every engine, so the results must be the same.

const std = @import("std");
const abi = @import("abi");
const format = @import("format");
const Shim = @import("difftest.zig").Shim;

const page_words = abi.page_size / 8;
const pages = format.data_bytes / abi.page_size;
const rw = abi.prot_read | abi.prot_write;
/// The page between the writable ones and those that are only read.
const hole = format.data_base + format.data_bytes;

pub const Edits = struct {
    shim: Shim,
    space: u32,
    /// Another one, with the same code and data of its own.
    other: u32 = 0,
    random: u64 = 1,
    /// What the last edit did to pages that is to be undone.
    refused: ?u32 = null,
    filled: bool = false,
    contents: *const [format.memory_words]u64,

    pub fn init(shim: Shim, space: u32, contents: *const [format.memory_words]u64) Edits {
        var e: Edits = .{ .shim = shim, .space = space, .contents = contents };
        for (0..pages) |i| e.renew(@intCast(i));
        return e;
    }

    fn below(e: *Edits, n: u32) u32 {
        e.random = e.random *% 6364136223846793005 +% 1442695040888963407;
        return @intCast((e.random >> 33) % n);
    }

    fn addressOf(page: u32) u64 {
        return format.data_base + page * abi.page_size;
    }

    /// The doubleword of the data pages; null where there is none now.
    pub fn word(e: *const Edits, index: usize) ?*u64 {
        const frame = e.shim.space_frame(e.space, addressOf(@intCast(index / page_words)));
        if (frame < 0) return null;
        const page: *[page_words]u64 = @ptrFromInt(e.shim.frame_ptr(@intCast(frame)));
        return &page[index % page_words];
    }

    /// Gives a page a frame of its own, as the cases begin with.
    fn renew(e: *Edits, page: u32) void {
        const frame = e.take();
        const to: *[page_words]u64 = @ptrFromInt(e.shim.frame_ptr(frame));
        @memcpy(to, e.contents[page * page_words ..][0..page_words]);
        e.put(addressOf(page), frame, rw);
    }

    fn take(e: *Edits) u32 {
        const frame = e.shim.frame_alloc(1, 1);
        if (frame < 0) fail();
        return @intCast(frame);
    }

    /// Maps the frame and keeps no reference. It is nobody else's, so that it may be written.
    fn put(e: *Edits, address: u64, frame: u32, prot: u32) void {
        if (e.shim.space_map(e.space, address, frame, 1, prot) != 0) fail();
        e.shim.frame_unref(frame, 1);
        _ = e.shim.space_protect(e.space, address, 1, prot);
    }

    fn undo(e: *Edits) void {
        if (e.refused) |page| {
            if (e.shim.space_frame(e.space, addressOf(page)) < 0) e.renew(page) else _ = e.shim.space_protect(e.space, addressOf(page), 1, rw);
        }
        e.refused = null;
        if (e.filled) _ = e.shim.space_unmap(e.space, hole, 1);
        e.filled = false;
    }

    /// Before a case.
    pub fn next(e: *Edits, block: *abi.RegisterBlock) void {
        e.undo();
        const page = e.below(pages);
        switch (e.below(16)) {
            0, 1, 2 => e.renew(page),
            3 => {
                // In a row on the host, or the other way round.
                const first = e.below(2);
                e.renew(first);
                e.renew(1 - first);
            },
            4, 5 => {
                _ = e.shim.space_protect(e.space, addressOf(page), 1, if (e.below(2) == 0) abi.prot_read else 0);
                e.refused = page;
            },
            6 => {
                _ = e.shim.space_unmap(e.space, addressOf(page), 1);
                e.refused = page;
            },
            7, 8 => {
                const frame = e.take();
                const to: *[page_words]u64 = @ptrFromInt(e.shim.frame_ptr(frame));
                @memcpy(to, e.contents[0..page_words]);
                e.put(hole, frame, if (e.below(2) == 0) rw else abi.prot_read);
                e.filled = true;
            },
            9 => e.fork(false),
            10 => e.fork(true),
            11 => e.visit(block),
            12 => if (e.other != 0) std.mem.swap(u32, &e.space, &e.other),
            else => {},
        }
    }

    /// Leaves all pages to be copied when they are written, and goes on as the parent or as the child.
    fn fork(e: *Edits, as_child: bool) void {
        const made = e.shim.space_fork(e.space);
        if (made < 0) fail();
        const child: u32 = @intCast(made);
        const gone = if (as_child) e.space else child;
        if (as_child) e.space = child;
        // The one that stays away is there for a while, now and then.
        if (e.other != 0) e.shim.space_destroy(e.other);
        e.other = 0;
        if (e.below(2) == 0) e.other = gone else e.shim.space_destroy(gone);
    }

    /// Runs something in another space that has something else at the same addresses.
    fn visit(e: *Edits, block: *abi.RegisterBlock) void {
        if (e.other == 0) return;
        block.* = .{ .pc = format.code_base, .sp = format.data_base + 0x800, .space = e.other };
        _ = e.shim.cpu_enter(block, 20);
    }

    /// Did the case meet a page that waits for its copy, which it has now?
    pub fn resolves(e: *Edits, block: *const abi.RegisterBlock) bool {
        if (block.fault_access != @intFromEnum(abi.Access.write)) return false;
        const address = block.fault_addr & ~@as(u64, abi.page_size - 1);
        if (address < format.data_base or address >= hole) return false;
        if (e.refused != null and addressOf(e.refused.?) == address) return false;
        const now: u32 = @bitCast(e.shim.space_lookup(e.space, address));
        if (now & abi.prot_present == 0 or now & abi.prot_write != 0) return false;
        return e.shim.space_cow(e.space, address, rw) == 0;
    }

    fn fail() noreturn {
        std.debug.print("difftest: an edit failed\n", .{});
        std.process.exit(1);
    }
};
