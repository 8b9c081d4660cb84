//! The host room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name.
