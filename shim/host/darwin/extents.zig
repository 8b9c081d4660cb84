//! fallocate(2) by fcntl(2): F_PREALLOCATE takes space behind the end of a file, F_PUNCHHOLE gives whole blocks back.

const call = @import("call.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;

const KEEP_SIZE = 0x1;
const PUNCH_HOLE = 0x2;
const ZERO_RANGE = 0x10;

/// DIFFERS: holes within the file's size stay holes; there is no way to fill them but to write.
pub fn allocate(fd: i32, mode: u32, position: f64, length: f64) i32 {
    const at = call.offset(position) orelse return -E.INVAL;
    const len = call.offset(length) orelse return -E.INVAL;
    if (at < 0 or len <= 0) return -E.INVAL;
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return call.failure();
    const wrong = wrongKind(st.st_mode);
    if (wrong != 0) return wrong;
    const end = at + len;
    return switch (mode) {
        0, KEEP_SIZE => reserve(fd, &st, end, mode == 0),
        PUNCH_HOLE | KEEP_SIZE => clear(fd, &st, at, @min(end, st.st_size)),
        ZERO_RANGE, ZERO_RANGE | KEEP_SIZE => {
            const rc = clear(fd, &st, at, @min(end, st.st_size));
            return if (rc < 0) rc else reserve(fd, &st, end, mode == ZERO_RANGE);
        },
        else => -E.OPNOTSUPP,
    };
}

fn wrongKind(mode: u16) i32 {
    const ENODEV = 19;
    const ESPIPE = 29;
    return switch (mode & c.S_IFMT) {
        c.S_IFREG => 0,
        c.S_IFIFO => -ESPIPE,
        c.S_IFDIR => -E.ISDIR,
        else => -ENODEV,
    };
}

/// Space up to `end`, and that size when `grow`.
fn reserve(fd: i32, st: *const c.struct_stat, end: i64, grow: bool) i32 {
    const allocated = @max(st.st_blocks * 512, st.st_size);
    if (end > allocated) {
        var wanted: c.fstore_t = .{
            .fst_flags = c.F_ALLOCATEALL,
            .fst_posmode = c.F_PEOFPOSMODE,
            .fst_offset = 0,
            .fst_length = end - allocated,
            .fst_bytesalloc = 0,
        };
        const rc = call.result(sys("fcntl")(fd, c.F_PREALLOCATE, &wanted));
        // A file system that cannot promise space has at least not refused it.
        if (rc < 0 and rc != -E.OPNOTSUPP and rc != -E.NOTTY and rc != -E.INVAL) return rc;
    }
    if (!grow or end <= st.st_size) return 0;
    return call.result(sys("ftruncate")(fd, end));
}

/// Makes [at, end) read as zeros, end being within the file: whole blocks become holes, the rest is written.
fn clear(fd: i32, st: *const c.struct_stat, at: i64, end: i64) i32 {
    if (end <= at) return 0;
    const block: i64 = @max(st.st_blksize, 4096);
    const first = @divFloor(at + block - 1, block) * block;
    // The last block of the file is whole as far as anybody can see.
    const last = if (end == st.st_size) @divFloor(end + block - 1, block) * block else @divFloor(end, block) * block;
    if (last <= first) return zero(fd, at, end);
    var hole: c.fpunchhole_t = .{ .fp_flags = 0, .reserved = 0, .fp_offset = first, .fp_length = last - first };
    const punched = call.result(sys("fcntl")(fd, c.F_PUNCHHOLE, &hole));
    if (punched < 0) {
        if (punched != -E.OPNOTSUPP and punched != -E.NOTTY and punched != -E.INVAL) return punched;
        return zero(fd, at, end);
    }
    const rc = zero(fd, at, first);
    return if (rc < 0 or end <= last) rc else zero(fd, last, end);
}

fn zero(fd: i32, from: i64, end: i64) i32 {
    const zeros: [16384]u8 = @splat(0);
    var at = from;
    while (at < end) {
        const n = sys("pwrite")(fd, &zeros, @intCast(@min(end - at, zeros.len)), at);
        if (n < 0) return call.failure();
        at += n;
    }
    return 0;
}
