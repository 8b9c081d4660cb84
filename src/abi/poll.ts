// Readiness bits and the epoll ABI (include/uapi/asm-generic/poll.h, include/uapi/linux/eventpoll.h). The POLL* and
// EPOLL* bits are the same numbers.

export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLRDBAND = 0x80;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLMSG = 0x400;
export const POLLRDHUP = 0x2000;

export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;

export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

/** struct epoll_event on arm64: u32 events, 4 bytes of padding, u64 data. */
export const EPOLL_EVENT_BYTES = 16;
export const EPOLL_MAX_EVENTS = Math.floor(0x7fffffff / EPOLL_EVENT_BYTES);
