// Signal numbers, flags and layouts of arm64 (include/uapi/asm-generic/{signal,siginfo}.h, asm/sigcontext.h, asm/ucontext.h).

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
export const SIGRTMIN = 32;
export const NSIG = 64;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const SA_NOCLDSTOP = 0x00000001;
export const SA_NOCLDWAIT = 0x00000002;
export const SA_SIGINFO = 0x00000004;
export const SA_UNSUPPORTED = 0x00000400;
export const SA_EXPOSE_TAGBITS = 0x00000800;
export const SA_RESTORER = 0x04000000;
export const SA_ONSTACK = 0x08000000;
export const SA_RESTART = 0x10000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 0x80000000;
/** The flags that the kernel keeps; the others are cleared by rt_sigaction. arm64 has no SA_RESTORER of its own. */
export const SA_KNOWN =
  (SA_NOCLDSTOP |
    SA_NOCLDWAIT |
    SA_SIGINFO |
    SA_EXPOSE_TAGBITS |
    SA_RESTORER |
    SA_ONSTACK |
    SA_RESTART |
    SA_NODEFER |
    SA_RESETHAND) >>>
  0;

/** struct sigaction as rt_sigaction takes it. */
export const Sigaction = { handler: 0, flags: 8, restorer: 16, mask: 24, sizeBytes: 32 } as const;

export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;

export const ILL_ILLOPC = 1;
export const FPE_INTDIV = 1;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const SYS_SECCOMP = 1;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;
export const POLL_IN = 1;
export const POLL_HUP = 6;

export const SIGINFO_BYTES = 128;

export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x80000000;
/** stack_t */
export const StackT = { sp: 0, flags: 8, size: 16, sizeBytes: 24 } as const;
/** What the kernel demands on arm64 (MINSIGSTKSZ of the uapi header). */
export const MINSIGSTKSZ = 5120;

/** struct ucontext on arm64, behind the siginfo of the frame. */
export const Ucontext = {
  flags: 0,
  link: 8,
  stack: 16,
  sigmask: 40,
  mcontext: 176,
  sizeBytes: 4560,
} as const;

/** struct sigcontext on arm64 (uc_mcontext). */
export const Sigcontext = {
  faultAddress: 0,
  regs: 8,
  sp: 256,
  pc: 264,
  pstate: 272,
  reserved: 288,
  reservedBytes: 4096,
  sizeBytes: 4384,
} as const;

export const FPSIMD_MAGIC = 0x46508001;
export const ESR_MAGIC = 0x45535201;
export const EXTRA_MAGIC = 0x45585401;
export const SVE_MAGIC = 0x53564501;
/** struct fpsimd_context: head, fpsr, fpcr, v0..v31. */
export const FpsimdContext = { magic: 0, size: 4, fpsr: 8, fpcr: 12, vregs: 16, sizeBytes: 528 } as const;
export const EsrContext = { magic: 0, size: 4, esr: 8, sizeBytes: 16 } as const;

const NAMES = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU " +
  "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

/** "SIGINT", "SIGRT_3"; the number itself when it is no signal. */
export function signalName(signal: number): string {
  if (signal >= 1 && signal < SIGRTMIN) return `SIG${NAMES[signal - 1]!}`;
  return signal >= SIGRTMIN && signal <= NSIG ? `SIGRT_${signal - SIGRTMIN}` : String(signal);
}
