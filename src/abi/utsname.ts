// What uname(2), /proc/version and /proc/sys/kernel say about the kernel (include/uapi/linux/utsname.h). Programs choose
// calls by the release, so it names the kernel whose behaviour carrick follows.

export const UTS_SYSNAME = "Linux";
export const UTS_RELEASE = "6.12.0-carrick";
/** For programs that ask not to see more than two dots (UNAME26): the second number plus 60 becomes the third. */
export const UTS_RELEASE_26 = "2.6.72-carrick";
export const UTS_VERSION = "#1 SMP PREEMPT_DYNAMIC";
export const UTS_MACHINE = "aarch64";
