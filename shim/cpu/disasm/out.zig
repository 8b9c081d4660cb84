//! A line of text as it is written: numbers in decimal and hex, in a buffer that is always large enough.

/// The longest instruction is an LD4 of four vectors.
pub const longest = 96;

pub const Out = struct {
    buffer: *[longest]u8,
    len: usize = 0,

    pub fn text(o: *Out, s: []const u8) void {
        @memcpy(o.buffer[o.len..][0..s.len], s);
        o.len += s.len;
    }

    pub fn char(o: *Out, c: u8) void {
        o.buffer[o.len] = c;
        o.len += 1;
    }

    pub fn decimal(o: *Out, value: i64) void {
        if (value < 0) o.char('-');
        o.digits(@abs(value), 10);
    }

    pub fn hex(o: *Out, value: u64) void {
        o.text("0x");
        o.digits(value, 16);
    }

    fn digits(o: *Out, value: u64, comptime base: u8) void {
        var reversed: [20]u8 = undefined;
        var n: usize = 0;
        var left = value;
        while (true) {
            reversed[n] = "0123456789abcdef"[@intCast(left % base)];
            n += 1;
            left /= base;
            if (left == 0) break;
        }
        while (n > 0) : (n -= 1) o.char(reversed[n - 1]);
    }

    /// A register: its letter and number, 31 as `last`.
    pub fn register(o: *Out, wide: bool, number: u32, comptime last: enum { zero, sp }) void {
        if (number != 31) {
            o.char(if (wide) 'x' else 'w');
            o.decimal(number);
        } else switch (last) {
            .zero => o.text(if (wide) "xzr" else "wzr"),
            .sp => o.text(if (wide) "sp" else "wsp"),
        }
    }

    pub fn vector(o: *Out, letter: u8, number: u32) void {
        o.char(letter);
        o.decimal(number);
    }
};
