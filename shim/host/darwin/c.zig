//! Darwin's constants and structs, under their C names, as the headers of macOS 14 and later for arm64 have them. Everything
//! that this folder knows about Darwin's numbers is here: test/double/facts.test.ts compares each of them, and each
//! size and offset, with what Apple's headers say. `struct_x` is C's `struct x`.

// sys/errno.h
pub const EPERM = 1;
pub const ENOENT = 2;
pub const ESRCH = 3;
pub const EINTR = 4;
pub const EIO = 5;
pub const ENXIO = 6;
pub const E2BIG = 7;
pub const ENOEXEC = 8;
pub const EBADF = 9;
pub const ECHILD = 10;
pub const EDEADLK = 11;
pub const ENOMEM = 12;
pub const EACCES = 13;
pub const EFAULT = 14;
pub const ENOTBLK = 15;
pub const EBUSY = 16;
pub const EEXIST = 17;
pub const EXDEV = 18;
pub const ENODEV = 19;
pub const ENOTDIR = 20;
pub const EISDIR = 21;
pub const EINVAL = 22;
pub const ENFILE = 23;
pub const EMFILE = 24;
pub const ENOTTY = 25;
pub const ETXTBSY = 26;
pub const EFBIG = 27;
pub const ENOSPC = 28;
pub const ESPIPE = 29;
pub const EROFS = 30;
pub const EMLINK = 31;
pub const EPIPE = 32;
pub const EDOM = 33;
pub const ERANGE = 34;
pub const EAGAIN = 35;
pub const EINPROGRESS = 36;
pub const EALREADY = 37;
pub const ENOTSOCK = 38;
pub const EDESTADDRREQ = 39;
pub const EMSGSIZE = 40;
pub const EPROTOTYPE = 41;
pub const ENOPROTOOPT = 42;
pub const EPROTONOSUPPORT = 43;
pub const ESOCKTNOSUPPORT = 44;
pub const ENOTSUP = 45;
pub const EPFNOSUPPORT = 46;
pub const EAFNOSUPPORT = 47;
pub const EADDRINUSE = 48;
pub const EADDRNOTAVAIL = 49;
pub const ENETDOWN = 50;
pub const ENETUNREACH = 51;
pub const ENETRESET = 52;
pub const ECONNABORTED = 53;
pub const ECONNRESET = 54;
pub const ENOBUFS = 55;
pub const EISCONN = 56;
pub const ENOTCONN = 57;
pub const ESHUTDOWN = 58;
pub const ETOOMANYREFS = 59;
pub const ETIMEDOUT = 60;
pub const ECONNREFUSED = 61;
pub const ELOOP = 62;
pub const ENAMETOOLONG = 63;
pub const EHOSTDOWN = 64;
pub const EHOSTUNREACH = 65;
pub const ENOTEMPTY = 66;
pub const EPROCLIM = 67;
pub const EUSERS = 68;
pub const EDQUOT = 69;
pub const ESTALE = 70;
pub const EREMOTE = 71;
pub const ENOLCK = 77;
pub const ENOSYS = 78;
pub const EFTYPE = 79;
pub const EAUTH = 80;
pub const ENEEDAUTH = 81;
pub const EPWROFF = 82;
pub const EDEVERR = 83;
pub const EOVERFLOW = 84;
pub const ECANCELED = 89;
pub const EIDRM = 90;
pub const ENOMSG = 91;
pub const EILSEQ = 92;
pub const ENOATTR = 93;
pub const EBADMSG = 94;
pub const EMULTIHOP = 95;
pub const ENODATA = 96;
pub const ENOLINK = 97;
pub const ENOSR = 98;
pub const ENOSTR = 99;
pub const EPROTO = 100;
pub const ETIME = 101;
pub const EOPNOTSUPP = 102;
pub const ENOTRECOVERABLE = 104;
pub const EOWNERDEAD = 105;

// sys/fcntl.h
pub const O_RDONLY = 0;
pub const O_WRONLY = 1;
pub const O_RDWR = 2;
pub const O_ACCMODE = 3;
pub const O_NONBLOCK = 0x4;
pub const O_APPEND = 0x8;
pub const O_SYNC = 0x80;
pub const O_NOFOLLOW = 0x100;
pub const O_CREAT = 0x200;
pub const O_TRUNC = 0x400;
pub const O_EXCL = 0x800;
pub const O_NOCTTY = 0x20000;
pub const O_DIRECTORY = 0x100000;
pub const O_SYMLINK = 0x200000;
pub const O_DSYNC = 0x400000;
pub const O_CLOEXEC = 0x1000000;
pub const O_NOFOLLOW_ANY = 0x20000000;
pub const O_SEARCH = 0x40100000;
pub const AT_FDCWD = -2;
pub const AT_EACCESS = 0x10;
pub const AT_SYMLINK_NOFOLLOW = 0x20;
pub const AT_SYMLINK_FOLLOW = 0x40;
pub const AT_REMOVEDIR = 0x80;
pub const F_SETFD = 2;
pub const F_GETFL = 3;
pub const F_SETFL = 4;
pub const F_PREALLOCATE = 42;
pub const F_GETPATH = 50;
pub const F_DUPFD_CLOEXEC = 67;
pub const F_PUNCHHOLE = 99;
pub const FD_CLOEXEC = 1;
pub const F_ALLOCATEALL = 0x4;
pub const F_PEOFPOSMODE = 3;
pub const LOCK_SH = 1;
pub const LOCK_EX = 2;
pub const LOCK_NB = 4;
pub const LOCK_UN = 8;
pub const fstore_t = extern struct { fst_flags: c_uint, fst_posmode: c_int, fst_offset: i64, fst_length: i64, fst_bytesalloc: i64 };
pub const fpunchhole_t = extern struct { fp_flags: c_uint, reserved: c_uint, fp_offset: i64, fp_length: i64 };

// unistd.h, sys/unistd.h, sys/syslimits.h, sys/param.h
pub const SEEK_SET = 0;
pub const SEEK_CUR = 1;
pub const SEEK_END = 2;
pub const SEEK_HOLE = 3;
pub const SEEK_DATA = 4;
pub const R_OK = 4;
pub const W_OK = 2;
pub const X_OK = 1;
pub const PATH_MAX = 1024;
pub const NAME_MAX = 255;
pub const IOV_MAX = 1024;
pub const _PC_CASE_SENSITIVE = 11;
pub const SYNC_VOLUME_WAIT = 2;
pub const struct_iovec = extern struct { iov_base: usize, iov_len: usize };

// sys/stat.h
pub const S_IFMT = 0o170000;
pub const S_IFIFO = 0o010000;
pub const S_IFCHR = 0o020000;
pub const S_IFDIR = 0o040000;
pub const S_IFBLK = 0o060000;
pub const S_IFREG = 0o100000;
pub const S_IFLNK = 0o120000;
pub const S_IFSOCK = 0o140000;
pub const S_ISUID = 0o4000;
pub const S_ISGID = 0o2000;
pub const S_ISVTX = 0o1000;
pub const UTIME_NOW = -1;
pub const UTIME_OMIT = -2;
pub const UF_NODUMP = 0x1;
pub const UF_IMMUTABLE = 0x2;
pub const UF_APPEND = 0x4;
pub const UF_COMPRESSED = 0x20;
pub const SF_IMMUTABLE = 0x20000;
pub const SF_APPEND = 0x40000;
pub const struct_timespec = extern struct { tv_sec: i64, tv_nsec: i64 };
pub const struct_stat = extern struct {
    st_dev: i32,
    st_mode: u16,
    st_nlink: u16,
    st_ino: u64,
    st_uid: u32,
    st_gid: u32,
    st_rdev: i32,
    st_atimespec: struct_timespec,
    st_mtimespec: struct_timespec,
    st_ctimespec: struct_timespec,
    st_birthtimespec: struct_timespec,
    st_size: i64,
    st_blocks: i64,
    st_blksize: i32,
    st_flags: u32,
    st_gen: u32,
    st_lspare: i32,
    st_qspare: [2]i64,
};

// sys/dirent.h (packed to 4 bytes there; nothing lies differently for it)
pub const DT_UNKNOWN = 0;
pub const DT_FIFO = 1;
pub const DT_CHR = 2;
pub const DT_DIR = 4;
pub const DT_BLK = 6;
pub const DT_REG = 8;
pub const DT_LNK = 10;
pub const DT_SOCK = 12;
pub const struct_dirent = extern struct { d_ino: u64, d_seekoff: u64, d_reclen: u16, d_namlen: u16, d_type: u8, d_name: [1024]u8 };

// sys/stdio.h
pub const RENAME_SWAP = 2;
pub const RENAME_EXCL = 4;

// sys/attr.h
pub const ATTR_BIT_MAP_COUNT = 5;
pub const ATTR_CMN_NAME = 1;
pub const FSOPT_NOFOLLOW = 1;
pub const struct_attrlist = extern struct {
    bitmapcount: u16,
    reserved: u16,
    commonattr: u32,
    volattr: u32,
    dirattr: u32,
    fileattr: u32,
    forkattr: u32,
};
pub const attrreference_t = extern struct { attr_dataoffset: i32, attr_length: u32 };

// sys/mount.h
pub const MNT_RDONLY = 0x1;
pub const MNT_SYNCHRONOUS = 0x2;
pub const MNT_NOEXEC = 0x4;
pub const MNT_NOSUID = 0x8;
pub const MNT_NODEV = 0x10;
pub const MNT_NOATIME = 0x10000000;
pub const struct_statfs = extern struct {
    f_bsize: u32,
    f_iosize: i32,
    f_blocks: u64,
    f_bfree: u64,
    f_bavail: u64,
    f_files: u64,
    f_ffree: u64,
    f_fsid: [2]i32,
    f_owner: u32,
    f_type: u32,
    f_flags: u32,
    f_fssubtype: u32,
    f_fstypename: [16]u8,
    f_mntonname: [1024]u8,
    f_mntfromname: [1024]u8,
    f_flags_ext: u32,
    f_reserved: [7]u32,
};

// sys/event.h
pub const EVFILT_READ = -1;
pub const EVFILT_WRITE = -2;
pub const EVFILT_USER = -10;
pub const EVFILT_EXCEPT = -15;
pub const EV_ADD = 0x1;
pub const EV_DELETE = 0x2;
pub const EV_CLEAR = 0x20;
pub const EV_RECEIPT = 0x40;
pub const EV_ERROR = 0x4000;
pub const EV_EOF = 0x8000;
pub const NOTE_OOB = 0x2;
pub const NOTE_TRIGGER = 0x1000000;
pub const struct_kevent = extern struct { ident: usize, filter: i16, flags: u16, fflags: u32, data: isize, udata: usize };

// sys/poll.h, sys/_select.h
pub const POLLIN = 0x1;
pub const POLLPRI = 0x2;
pub const POLLOUT = 0x4;
pub const POLLERR = 0x8;
pub const POLLHUP = 0x10;
pub const POLLNVAL = 0x20;
pub const struct_pollfd = extern struct { fd: c_int, events: i16, revents: i16 };
pub const FD_SETSIZE = 1024;
pub const struct_timeval = extern struct { tv_sec: i64, tv_usec: i32 };

// sys/mman.h
pub const PROT_NONE = 0;
pub const PROT_READ = 1;
pub const PROT_WRITE = 2;
pub const MAP_SHARED = 0x1;
pub const MAP_PRIVATE = 0x2;
pub const MAP_FIXED = 0x10;
pub const MAP_NORESERVE = 0x40;
pub const MAP_ANON = 0x1000;
pub const MADV_FREE_REUSABLE = 7;
pub const MADV_FREE_REUSE = 8;
pub const MADV_ZERO = 11;

// sys/signal.h
pub const SIGHUP = 1;
pub const SIGINT = 2;
pub const SIGQUIT = 3;
pub const SIGILL = 4;
pub const SIGTRAP = 5;
pub const SIGABRT = 6;
pub const SIGFPE = 8;
pub const SIGKILL = 9;
pub const SIGBUS = 10;
pub const SIGSEGV = 11;
pub const SIGSYS = 12;
pub const SIGPIPE = 13;
pub const SIGALRM = 14;
pub const SIGTERM = 15;
pub const SIGURG = 16;
pub const SIGSTOP = 17;
pub const SIGTSTP = 18;
pub const SIGCONT = 19;
pub const SIGCHLD = 20;
pub const SIGTTIN = 21;
pub const SIGTTOU = 22;
pub const SIGIO = 23;
pub const SIGXCPU = 24;
pub const SIGXFSZ = 25;
pub const SIGVTALRM = 26;
pub const SIGPROF = 27;
pub const SIGWINCH = 28;
pub const SIGUSR1 = 30;
pub const SIGUSR2 = 31;
pub const SA_ONSTACK = 0x1;
pub const SA_RESTART = 0x2;
pub const SA_SIGINFO = 0x40;
pub const SIG_BLOCK = 1;
pub const SIG_UNBLOCK = 2;
/// The union of handlers is the address alone; 0 is SIG_DFL, 1 SIG_IGN.
pub const struct_sigaction = extern struct { sa_handler: usize, sa_mask: u32, sa_flags: c_int };

// sys/resource.h
pub const RLIMIT_CORE = 4;
pub const RLIMIT_NOFILE = 8;
pub const OPEN_MAX = 10240;
pub const struct_rlimit = extern struct { rlim_cur: u64, rlim_max: u64 };

// time.h
pub const CLOCK_REALTIME = 0;
pub const CLOCK_MONOTONIC = 6;
pub const CLOCK_UPTIME_RAW = 8;
pub const CLOCK_PROCESS_CPUTIME_ID = 12;
pub const CLOCK_THREAD_CPUTIME_ID = 16;

// sys/termios.h, sys/ttycom.h, sys/filio.h
pub const VEOF = 0;
pub const VEOL = 1;
pub const VEOL2 = 2;
pub const VERASE = 3;
pub const VWERASE = 4;
pub const VKILL = 5;
pub const VREPRINT = 6;
pub const VINTR = 8;
pub const VQUIT = 9;
pub const VSUSP = 10;
pub const VSTART = 12;
pub const VSTOP = 13;
pub const VLNEXT = 14;
pub const VDISCARD = 15;
pub const VMIN = 16;
pub const VTIME = 17;
pub const IGNBRK = 0x1;
pub const BRKINT = 0x2;
pub const IGNPAR = 0x4;
pub const PARMRK = 0x8;
pub const INPCK = 0x10;
pub const ISTRIP = 0x20;
pub const INLCR = 0x40;
pub const IGNCR = 0x80;
pub const ICRNL = 0x100;
pub const IXON = 0x200;
pub const IXOFF = 0x400;
pub const IXANY = 0x800;
pub const IMAXBEL = 0x2000;
pub const IUTF8 = 0x4000;
pub const OPOST = 0x1;
pub const ONLCR = 0x2;
pub const OXTABS = 0x4;
pub const OCRNL = 0x10;
pub const ONOCR = 0x20;
pub const ONLRET = 0x40;
pub const OFILL = 0x80;
pub const OFDEL = 0x20000;
pub const CSIZE = 0x300;
pub const CSTOPB = 0x400;
pub const CREAD = 0x800;
pub const PARENB = 0x1000;
pub const PARODD = 0x2000;
pub const HUPCL = 0x4000;
pub const CLOCAL = 0x8000;
pub const CRTSCTS = 0x30000;
pub const ECHOKE = 0x1;
pub const ECHOE = 0x2;
pub const ECHOK = 0x4;
pub const ECHO = 0x8;
pub const ECHONL = 0x10;
pub const ECHOPRT = 0x20;
pub const ECHOCTL = 0x40;
pub const ISIG = 0x80;
pub const ICANON = 0x100;
pub const IEXTEN = 0x400;
pub const EXTPROC = 0x800;
pub const TOSTOP = 0x400000;
pub const FLUSHO = 0x800000;
pub const PENDIN = 0x20000000;
pub const NOFLSH = 0x80000000;
pub const _POSIX_VDISABLE = 0xff;
pub const TIOCGETA = 0x40487413;
pub const TIOCSETA = 0x80487414;
pub const TIOCSETAW = 0x80487415;
pub const TIOCSETAF = 0x80487416;
pub const TIOCFLUSH = 0x80047410;
pub const TIOCGPGRP = 0x40047477;
pub const TIOCSPGRP = 0x80047476;
pub const TIOCOUTQ = 0x40047473;
pub const TIOCSTOP = 0x2000746f;
pub const TIOCSTART = 0x2000746e;
pub const TIOCGWINSZ = 0x40087468;
pub const TIOCSWINSZ = 0x80087467;
pub const FIONREAD = 0x4004667f;
pub const FREAD = 1;
pub const FWRITE = 2;
pub const struct_termios = extern struct {
    c_iflag: u64,
    c_oflag: u64,
    c_cflag: u64,
    c_lflag: u64,
    c_cc: [20]u8,
    c_ispeed: u64,
    c_ospeed: u64,
};
pub const struct_winsize = extern struct { ws_row: u16, ws_col: u16, ws_xpixel: u16, ws_ypixel: u16 };

// sys/sysctl.h, mach/host_info.h, mach/vm_statistics.h
pub const HOST_VM_INFO64 = 4;
pub const struct_xsw_usage = extern struct { xsu_total: u64, xsu_avail: u64, xsu_used: u64, xsu_pagesize: u32, xsu_encrypted: u32 };
pub const struct_vm_statistics64 = extern struct {
    free_count: u32,
    active_count: u32,
    inactive_count: u32,
    wire_count: u32,
    zero_fill_count: u64,
    reactivations: u64,
    pageins: u64,
    pageouts: u64,
    faults: u64,
    cow_faults: u64,
    lookups: u64,
    hits: u64,
    purges: u64,
    purgeable_count: u32,
    speculative_count: u32,
    decompressions: u64,
    compressions: u64,
    swapins: u64,
    swapouts: u64,
    compressor_page_count: u32,
    throttled_count: u32,
    external_page_count: u32,
    internal_page_count: u32,
    total_uncompressed_pages_in_compressor: u64,
    swapped_count: u64,
};

// sys/socket.h, sys/sockio.h, net/if.h, netinet/in.h, netinet6/in6.h (as RFC 3542 has it), netinet/tcp.h
pub const AF_UNSPEC = 0;
pub const AF_UNIX = 1;
pub const AF_INET = 2;
pub const AF_INET6 = 30;
pub const SOCK_STREAM = 1;
pub const SOCK_DGRAM = 2;
pub const SOCK_RAW = 3;
pub const IPPROTO_IP = 0;
pub const IPPROTO_TCP = 6;
pub const IPPROTO_UDP = 17;
pub const IPPROTO_IPV6 = 41;
pub const SOL_SOCKET = 0xffff;
pub const SO_DEBUG = 0x1;
pub const SO_ACCEPTCONN = 0x2;
pub const SO_REUSEADDR = 0x4;
pub const SO_KEEPALIVE = 0x8;
pub const SO_DONTROUTE = 0x10;
pub const SO_BROADCAST = 0x20;
pub const SO_OOBINLINE = 0x100;
pub const SO_REUSEPORT = 0x200;
pub const SO_TIMESTAMP = 0x400;
pub const SO_SNDBUF = 0x1001;
pub const SO_RCVBUF = 0x1002;
pub const SO_SNDLOWAT = 0x1003;
pub const SO_RCVLOWAT = 0x1004;
pub const SO_ERROR = 0x1007;
pub const SO_TYPE = 0x1008;
pub const SO_NREAD = 0x1020;
pub const SO_NOSIGPIPE = 0x1022;
pub const SO_NWRITE = 0x1024;
pub const SO_LINGER_SEC = 0x1080;
pub const SOL_LOCAL = 0;
pub const LOCAL_PEERCRED = 0x1;
pub const LOCAL_PEERPID = 0x2;
pub const struct_xucred = extern struct { cr_version: u32, cr_uid: u32, cr_ngroups: i16, cr_groups: [16]u32 };
pub const MSG_OOB = 0x1;
pub const MSG_PEEK = 0x2;
pub const MSG_DONTROUTE = 0x4;
pub const MSG_EOR = 0x8;
pub const MSG_TRUNC = 0x10;
pub const MSG_CTRUNC = 0x20;
pub const MSG_WAITALL = 0x40;
pub const MSG_DONTWAIT = 0x80;
pub const SCM_RIGHTS = 0x1;
pub const SCM_TIMESTAMP = 0x2;
pub const SAE_ASSOCID_ANY = 0;
pub const SAE_CONNID_ANY = 0;
pub const IP_OPTIONS = 1;
pub const IP_HDRINCL = 2;
pub const IP_TOS = 3;
pub const IP_TTL = 4;
pub const IP_RECVOPTS = 5;
pub const IP_MULTICAST_IF = 9;
pub const IP_MULTICAST_TTL = 10;
pub const IP_MULTICAST_LOOP = 11;
pub const IP_ADD_MEMBERSHIP = 12;
pub const IP_DROP_MEMBERSHIP = 13;
pub const IP_RECVTTL = 24;
pub const IP_PKTINFO = 26;
pub const IP_RECVTOS = 27;
pub const IP_DONTFRAG = 28;
pub const IPV6_UNICAST_HOPS = 4;
pub const IPV6_MULTICAST_IF = 9;
pub const IPV6_MULTICAST_HOPS = 10;
pub const IPV6_MULTICAST_LOOP = 11;
pub const IPV6_JOIN_GROUP = 12;
pub const IPV6_LEAVE_GROUP = 13;
pub const IPV6_V6ONLY = 27;
pub const IPV6_RECVTCLASS = 35;
pub const IPV6_TCLASS = 36;
pub const IPV6_RECVHOPLIMIT = 37;
pub const IPV6_PKTINFO = 46;
pub const IPV6_HOPLIMIT = 47;
pub const IPV6_RECVPKTINFO = 61;
pub const IPV6_DONTFRAG = 62;
pub const TCP_NODELAY = 0x1;
pub const TCP_MAXSEG = 0x2;
pub const TCP_NOPUSH = 0x4;
pub const TCP_KEEPALIVE = 0x10;
pub const TCP_RXT_CONNDROPTIME = 0x80;
pub const TCP_KEEPINTVL = 0x101;
pub const TCP_KEEPCNT = 0x102;
pub const TCP_FASTOPEN = 0x105;
pub const TCP_CONNECTION_INFO = 0x106;
pub const TCP_NOTSENT_LOWAT = 0x201;
pub const SIOCATMARK = 0x40047307;
pub const SIOCGIFFLAGS = 0xc0206911;
pub const SIOCGIFMETRIC = 0xc0206917;
pub const SIOCGIFADDR = 0xc0206921;
pub const SIOCGIFDSTADDR = 0xc0206922;
pub const SIOCGIFBRDADDR = 0xc0206923;
pub const SIOCGIFNETMASK = 0xc0206925;
pub const SIOCGIFMTU = 0xc0206933;
pub const IFF_MULTICAST = 0x8000;
pub const IF_NAMESIZE = 16;
pub const struct_sockaddr_un = extern struct { sun_len: u8, sun_family: u8, sun_path: [104]u8 };
pub const struct_sockaddr_in = extern struct { sin_len: u8, sin_family: u8, sin_port: u16, sin_addr: u32, sin_zero: [8]u8 };
pub const struct_sockaddr_in6 = extern struct { sin6_len: u8, sin6_family: u8, sin6_port: u16, sin6_flowinfo: u32, sin6_addr: [16]u8, sin6_scope_id: u32 };
pub const struct_msghdr = extern struct {
    msg_name: ?*anyopaque,
    msg_namelen: u32,
    msg_iov: *struct_iovec,
    msg_iovlen: c_int,
    msg_control: ?*anyopaque,
    msg_controllen: u32,
    msg_flags: c_int,
};
pub const struct_cmsghdr = extern struct { cmsg_len: u32, cmsg_level: c_int, cmsg_type: c_int };
pub const struct_ifreq = extern struct { ifr_name: [16]u8, ifr_ifru: [16]u8 };

/// Of headers that Zig does not bring (sys/xattr.h, sys/ulock.h, netinet/tcp_fsm.h): what no comparison proves.
pub const unproven = struct {
    pub const XATTR_CREATE = 2;
    pub const XATTR_REPLACE = 4;
    pub const UL_COMPARE_AND_WAIT = 1;
    pub const ULF_WAKE_ALL = 0x100;
    pub const TCPS_SYN_SENT = 2;
};
