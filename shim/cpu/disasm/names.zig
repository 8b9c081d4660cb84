//! Names in texts: conditions, shifts, barriers, hints, prefetches, system registers.

const fields = @import("../interp/fields.zig");
const Out = @import("out.zig").Out;

const bits = fields.bits;

pub const condition = [16][]const u8{ "eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv" };
pub const shift = [4][]const u8{ "lsl", "lsr", "asr", "ror" };
pub const extend = [8][]const u8{ "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx" };
pub const unsigned_size = [4][]const u8{ "b", "h", "", "" };
pub const flag_manipulation = [4][]const u8{ "cfinv", "xaflag", "axflag", "?" };

pub fn hint(out: *Out, number: u32) void {
    const name = switch (number) {
        0 => "nop",
        1 => "yield",
        2 => "wfe",
        3 => "wfi",
        4 => "sev",
        5 => "sevl",
        6 => "dgh",
        7 => "xpaclri",
        8 => "pacia1716",
        10 => "pacib1716",
        12 => "autia1716",
        14 => "autib1716",
        16 => "esb",
        17 => "psb csync",
        18 => "tsb csync",
        20 => "csdb",
        24 => "paciaz",
        25 => "paciasp",
        26 => "pacibz",
        27 => "pacibsp",
        28 => "autiaz",
        29 => "autiasp",
        30 => "autibz",
        31 => "autibsp",
        32 => "bti",
        34 => "bti c",
        36 => "bti j",
        38 => "bti jc",
        else => {
            out.text("hint #");
            return out.hex(number);
        },
    };
    out.text(name);
}

pub fn barrier(out: *Out, option: u32) void {
    const domain = [4][]const u8{ "osh", "nsh", "ish", "" };
    const kind = [4][]const u8{ "", "ld", "st", "" };
    if (option & 3 == 0) {
        out.char('#');
        return out.hex(option);
    }
    if (option == 15) return out.text("sy");
    out.text(domain[option >> 2]);
    out.text(kind[option & 3]);
}

pub fn prefetch(out: *Out, operation: u32) void {
    if (operation >> 3 == 3 or operation >> 1 & 3 == 3) {
        out.char('#');
        return out.hex(operation);
    }
    out.text(([_][]const u8{ "pld", "pli", "pst" })[operation >> 3]);
    out.text(([_][]const u8{ "l1", "l2", "l3" })[operation >> 1 & 3]);
    out.text(if (operation & 1 == 1) "strm" else "keep");
}

/// op1, CRn, CRm and op2 in one number, as they are in the word.
inline fn place(op1: u32, crn: u32, crm: u32, op2: u32) u32 {
    return op1 << 11 | crn << 7 | crm << 3 | op2;
}

const Named = struct { place: u32, name: []const u8 };

/// What EL0 may use, and what programs try: the ID registers that Linux emulates, and those of extensions that this CPU does not have.
const registers = [_]Named{
    .{ .place = place(3, 4, 2, 0), .name = "nzcv" },
    .{ .place = place(3, 4, 4, 0), .name = "fpcr" },
    .{ .place = place(3, 4, 4, 1), .name = "fpsr" },
    .{ .place = place(3, 13, 0, 2), .name = "tpidr_el0" },
    .{ .place = place(3, 13, 0, 3), .name = "tpidrro_el0" },
    .{ .place = place(3, 0, 0, 1), .name = "ctr_el0" },
    .{ .place = place(3, 0, 0, 7), .name = "dczid_el0" },
    .{ .place = place(3, 14, 0, 0), .name = "cntfrq_el0" },
    .{ .place = place(3, 14, 0, 1), .name = "cntpct_el0" },
    .{ .place = place(3, 14, 0, 2), .name = "cntvct_el0" },
    .{ .place = place(3, 2, 4, 0), .name = "rndr" },
    .{ .place = place(3, 2, 4, 1), .name = "rndrrs" },
    .{ .place = place(3, 4, 2, 5), .name = "dit" },
    .{ .place = place(3, 4, 2, 6), .name = "ssbs" },
    .{ .place = place(3, 9, 13, 0), .name = "pmccntr_el0" },
    .{ .place = place(0, 0, 0, 0), .name = "midr_el1" },
    .{ .place = place(0, 0, 0, 5), .name = "mpidr_el1" },
    .{ .place = place(0, 0, 0, 6), .name = "revidr_el1" },
    .{ .place = place(0, 0, 4, 0), .name = "id_aa64pfr0_el1" },
    .{ .place = place(0, 0, 4, 1), .name = "id_aa64pfr1_el1" },
    .{ .place = place(0, 0, 4, 4), .name = "id_aa64zfr0_el1" },
    .{ .place = place(0, 0, 4, 5), .name = "id_aa64smfr0_el1" },
    .{ .place = place(0, 0, 5, 0), .name = "id_aa64dfr0_el1" },
    .{ .place = place(0, 0, 5, 1), .name = "id_aa64dfr1_el1" },
    .{ .place = place(0, 0, 6, 0), .name = "id_aa64isar0_el1" },
    .{ .place = place(0, 0, 6, 1), .name = "id_aa64isar1_el1" },
    .{ .place = place(0, 0, 6, 2), .name = "id_aa64isar2_el1" },
    .{ .place = place(0, 0, 7, 0), .name = "id_aa64mmfr0_el1" },
    .{ .place = place(0, 0, 7, 1), .name = "id_aa64mmfr1_el1" },
    .{ .place = place(0, 0, 7, 2), .name = "id_aa64mmfr2_el1" },
};

const operations = [_]Named{
    .{ .place = place(3, 7, 4, 1), .name = "dc zva" },
    .{ .place = place(3, 7, 5, 1), .name = "ic ivau" },
    .{ .place = place(3, 7, 10, 1), .name = "dc cvac" },
    .{ .place = place(3, 7, 11, 1), .name = "dc cvau" },
    .{ .place = place(3, 7, 12, 1), .name = "dc cvap" },
    .{ .place = place(3, 7, 14, 1), .name = "dc civac" },
};

fn find(comptime list: []const Named, insn: u32) ?[]const u8 {
    inline for (list) |one| {
        if (bits(insn, 5, 14) == one.place) return one.name;
    }
    return null;
}

/// Of MRS and MSR.
pub fn systemRegister(out: *Out, insn: u32) void {
    if (bits(insn, 19, 1) == 1) {
        if (find(&registers, insn)) |name| return out.text(name);
    }
    out.char('s');
    out.decimal(2 + bits(insn, 19, 1));
    out.char('_');
    out.decimal(bits(insn, 16, 3));
    out.text("_c");
    out.decimal(bits(insn, 12, 4));
    out.text("_c");
    out.decimal(bits(insn, 8, 4));
    out.char('_');
    out.decimal(bits(insn, 5, 3));
}

/// SYS, by the names of what this CPU has.
pub fn system(out: *Out, insn: u32) void {
    const t = fields.rd(insn);
    if (find(&operations, insn)) |name| {
        out.text(name);
    } else {
        out.text("sys #");
        out.decimal(bits(insn, 16, 3));
        out.text(", c");
        out.decimal(bits(insn, 12, 4));
        out.text(", c");
        out.decimal(bits(insn, 8, 4));
        out.text(", #");
        out.decimal(bits(insn, 5, 3));
        if (t == 31) return;
    }
    out.text(", ");
    out.register(true, t, .zero);
}
