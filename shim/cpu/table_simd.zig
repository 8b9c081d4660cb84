//! Every A64 floating-point, Advanced SIMD and cryptographic data-processing instruction of this CPU, as data.
//!
//! A pattern gives bits 31..0: '0' and '1' are fixed, a letter names a field (n, m, a, d registers; Q, U, s size, t ftype,
//! z sz, f sf, c condition, v nzcv, i immediate, h immh:immb, l index bits, r rotation, x ignored). A word that matches a pattern
//! may still be reserved (size 3 of most integer forms, Q 0 with 64-bit lanes): `simd.lookup` then answers null.
//! No two patterns match the same word.

pub const Row = struct { pattern: []const u8, name: []const u8 };

fn row(comptime pattern: []const u8, comptime name: []const u8) Row {
    return .{ .pattern = pattern, .name = name };
}

const scalar_fp = [_]Row{
    row("00011110tt100000010000nnnnnddddd", "FMOV_reg"),
    row("00011110tt100000110000nnnnnddddd", "FABS"),
    row("00011110tt100001010000nnnnnddddd", "FNEG"),
    row("00011110tt100001110000nnnnnddddd", "FSQRT"),
    row("00011110tt100010010000nnnnnddddd", "FCVT_to_s"),
    row("00011110tt100010110000nnnnnddddd", "FCVT_to_d"),
    row("00011110tt100011110000nnnnnddddd", "FCVT_to_h"),
    row("00011110tt100100010000nnnnnddddd", "FRINTN"),
    row("00011110tt100100110000nnnnnddddd", "FRINTP"),
    row("00011110tt100101010000nnnnnddddd", "FRINTM"),
    row("00011110tt100101110000nnnnnddddd", "FRINTZ"),
    row("00011110tt100110010000nnnnnddddd", "FRINTA"),
    row("00011110tt100111010000nnnnnddddd", "FRINTX"),
    row("00011110tt100111110000nnnnnddddd", "FRINTI"),
    row("00011110tt101000010000nnnnnddddd", "FRINT32Z"),
    row("00011110tt101000110000nnnnnddddd", "FRINT32X"),
    row("00011110tt101001010000nnnnnddddd", "FRINT64Z"),
    row("00011110tt101001110000nnnnnddddd", "FRINT64X"),
    row("00011110tt1mmmmm000010nnnnnddddd", "FMUL"),
    row("00011110tt1mmmmm000110nnnnnddddd", "FDIV"),
    row("00011110tt1mmmmm001010nnnnnddddd", "FADD"),
    row("00011110tt1mmmmm001110nnnnnddddd", "FSUB"),
    row("00011110tt1mmmmm010010nnnnnddddd", "FMAX"),
    row("00011110tt1mmmmm010110nnnnnddddd", "FMIN"),
    row("00011110tt1mmmmm011010nnnnnddddd", "FMAXNM"),
    row("00011110tt1mmmmm011110nnnnnddddd", "FMINNM"),
    row("00011110tt1mmmmm100010nnnnnddddd", "FNMUL"),
    row("00011110tt1mmmmm001000nnnnn00000", "FCMP"),
    row("00011110tt1xxxxx001000nnnnn01000", "FCMP_zero"),
    row("00011110tt1mmmmm001000nnnnn10000", "FCMPE"),
    row("00011110tt1xxxxx001000nnnnn11000", "FCMPE_zero"),
    row("00011110tt1mmmmmcccc01nnnnn0vvvv", "FCCMP"),
    row("00011110tt1mmmmmcccc01nnnnn1vvvv", "FCCMPE"),
    row("00011110tt1mmmmmcccc11nnnnnddddd", "FCSEL"),
    row("00011110tt1iiiiiiii10000000ddddd", "FMOV_imm"),
    row("00011111tt0mmmmm0aaaaannnnnddddd", "FMADD"),
    row("00011111tt0mmmmm1aaaaannnnnddddd", "FMSUB"),
    row("00011111tt1mmmmm0aaaaannnnnddddd", "FNMADD"),
    row("00011111tt1mmmmm1aaaaannnnnddddd", "FNMSUB"),
};

const scalar_convert = [_]Row{
    row("f0011110tt100000000000nnnnnddddd", "FCVTNS"),
    row("f0011110tt100001000000nnnnnddddd", "FCVTNU"),
    row("f0011110tt100010000000nnnnnddddd", "SCVTF"),
    row("f0011110tt100011000000nnnnnddddd", "UCVTF"),
    row("f0011110tt100100000000nnnnnddddd", "FCVTAS"),
    row("f0011110tt100101000000nnnnnddddd", "FCVTAU"),
    row("f0011110tt100110000000nnnnnddddd", "FMOV_to_gp"),
    row("f0011110tt100111000000nnnnnddddd", "FMOV_to_fp"),
    row("f0011110tt101000000000nnnnnddddd", "FCVTPS"),
    row("f0011110tt101001000000nnnnnddddd", "FCVTPU"),
    row("1001111010101110000000nnnnnddddd", "FMOV_top_to_gp"),
    row("1001111010101111000000nnnnnddddd", "FMOV_gp_to_top"),
    row("f0011110tt110000000000nnnnnddddd", "FCVTMS"),
    row("f0011110tt110001000000nnnnnddddd", "FCVTMU"),
    row("f0011110tt111000000000nnnnnddddd", "FCVTZS"),
    row("f0011110tt111001000000nnnnnddddd", "FCVTZU"),
    row("0001111001111110000000nnnnnddddd", "FJCVTZS"),
    row("f0011110tt000010iiiiiinnnnnddddd", "SCVTF_fix"),
    row("f0011110tt000011iiiiiinnnnnddddd", "UCVTF_fix"),
    row("f0011110tt011000iiiiiinnnnnddddd", "FCVTZS_fix"),
    row("f0011110tt011001iiiiiinnnnnddddd", "FCVTZU_fix"),
};

pub const rows = scalar_fp ++ scalar_convert;
