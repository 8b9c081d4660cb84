// Sizes of things (include/uapi/linux/limits.h, binfmts.h).

/** Longest single argument or environment string, with its NUL: 32 pages. */
export const MAX_ARG_STRLEN = 131072;
/** Most bytes of arguments and environment together: three quarters of the default stack limit. */
export const MAX_ARG_STRINGS_BYTES = 6 * 1024 * 1024;
export const NGROUPS_MAX = 65536;
export const HOST_NAME_MAX = 64;
