//! Copying and destroying whole address spaces, table by table. Both stop in a table as soon as the number of
//! descriptors that it is known to have was seen.

const desc = @import("descriptor.zig");
const errno = @import("errno.zig");
const frames = @import("frames.zig");
const space = @import("space.zig");
const tlb = @import("tlb.zig");

/// A copy of `src`: private pages become read-only in both until `space_cow`, shared ones are mapped as they
/// are. The new handle, -ENOMEM, or -EAGAIN when there are too many spaces.
pub fn fork(src: *space.Space) i32 {
    var lost = tlb.Span{};
    var hold: space.Hold = .{};
    defer hold.release();
    hold.need(src);
    const root = copyTable(src.root, 0, 0, &lost);
    // Even a copy that failed half way has taken write access away.
    lost.invalidate(src);
    const frame = root orelse return errno.no_memory;
    const handle = space.adopt(frame) orelse {
        destroyTable(frame, 0);
        return errno.again;
    };
    space.get(handle).?.resident = src.resident;
    space.get(handle).?.shares = src.shares;
    return @intCast(handle);
}

fn copyTable(src_frame: u32, comptime level: u2, va: u64, lost: *tlb.Span) ?u32 {
    if (level == 3) return copyLeaves(src_frame, va, lost);
    const copy = space.newTable() orelse return null;
    const src = space.tableOf(src_frame);
    const dst = space.tableOf(copy);
    var left = frames.info[src_frame].live;
    var i: usize = 0;
    while (left > 0) : (i += 1) {
        if (src[i] == 0) continue;
        left -= 1;
        const at = va | @as(u64, i) << (12 + 9 * (3 - @as(u6, level)));
        const child = copyTable(desc.frameOf(src[i]), level + 1, at, lost) orelse {
            destroyTable(copy, level);
            return null;
        };
        dst[i] = desc.table(child);
        frames.info[copy].live += 1;
    }
    return copy;
}

fn copyLeaves(src_frame: u32, va: u64, lost: *tlb.Span) ?u32 {
    const copy = frames.alloc(false) orelse return null;
    frames.tables += 1;
    const src = space.tableOf(src_frame);
    const dst = space.tableOf(copy);
    var left = frames.info[src_frame].live;
    frames.info[copy].live = left;
    var i: usize = 0;
    while (left > 0) : (i += 1) {
        var d = src[i];
        if (d != 0) {
            left -= 1;
            if (d & (desc.valid | desc.shared | desc.read_only) == desc.valid) {
                d |= desc.read_only | desc.cow;
                src[i] = d;
                lost.add(va + i * frames.page_size);
            }
            frames.ref(desc.frameOf(d));
        }
        dst[i] = d;
    }
    @memset(dst[i..], 0);
    return copy;
}

/// Drops every page and table of a space and frees its handle.
pub fn destroy(s: *space.Space) void {
    tlb.forget(s);
    destroyTable(s.root, 0);
    space.abandon(space.handleOf(s));
}

fn destroyTable(frame: u32, comptime level: u2) void {
    const table = space.tableOf(frame);
    var left = frames.info[frame].live;
    var i: usize = 0;
    while (left > 0) : (i += 1) {
        const d = table[i];
        if (d == 0) continue;
        left -= 1;
        if (level == 3) {
            frames.unref(desc.frameOf(d));
        } else {
            destroyTable(desc.frameOf(d), level + 1);
        }
    }
    space.freeTable(frame);
}
