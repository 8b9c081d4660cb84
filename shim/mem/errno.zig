//! The Linux error numbers that this room returns, already negative.

pub const no_entry: i32 = -2;
pub const again: i32 = -11;
pub const no_memory: i32 = -12;
pub const fault: i32 = -14;
pub const invalid: i32 = -22;
pub const interrupted: i32 = -4;
pub const name_too_long: i32 = -36;
