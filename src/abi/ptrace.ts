// ptrace(2): requests, options, events and layouts of arm64 (include/uapi/linux/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h).

export const PTRACE_TRACEME = 0;
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_PEEKDATA = 2;
export const PTRACE_POKETEXT = 4;
export const PTRACE_POKEDATA = 5;
export const PTRACE_CONT = 7;
export const PTRACE_KILL = 8;
export const PTRACE_SINGLESTEP = 9;
export const PTRACE_ATTACH = 16;
export const PTRACE_DETACH = 17;
export const PTRACE_SYSCALL = 24;
export const PTRACE_SYSEMU = 31;
export const PTRACE_SYSEMU_SINGLESTEP = 32;
export const PTRACE_SETOPTIONS = 0x4200;
export const PTRACE_GETEVENTMSG = 0x4201;
export const PTRACE_GETSIGINFO = 0x4202;
export const PTRACE_SETSIGINFO = 0x4203;
export const PTRACE_GETREGSET = 0x4204;
export const PTRACE_SETREGSET = 0x4205;
export const PTRACE_SEIZE = 0x4206;
export const PTRACE_INTERRUPT = 0x4207;
export const PTRACE_LISTEN = 0x4208;
export const PTRACE_PEEKSIGINFO = 0x4209;
export const PTRACE_GETSIGMASK = 0x420a;
export const PTRACE_SETSIGMASK = 0x420b;
export const PTRACE_GET_SYSCALL_INFO = 0x420e;

/** An option that asks for an event is the bit of the event's number. */
export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_EXITKILL = 1 << 20;
export const PTRACE_O_SUSPEND_SECCOMP = 1 << 21;
export const PTRACE_O_MASK = 0xff | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP;

export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
export const PTRACE_EVENT_EXIT = 6;
export const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;

/** What PTRACE_GETEVENTMSG says of a stop at a call. */
export const PTRACE_EVENTMSG_SYSCALL_ENTRY = 1;
export const PTRACE_EVENTMSG_SYSCALL_EXIT = 2;

export const PTRACE_PEEKSIGINFO_SHARED = 1;
/** struct ptrace_peeksiginfo_args */
export const PeekSiginfoArgs = { off: 0, flags: 8, nr: 12, sizeBytes: 16 } as const;

export const PTRACE_SYSCALL_INFO_NONE = 0;
export const PTRACE_SYSCALL_INFO_ENTRY = 1;
export const PTRACE_SYSCALL_INFO_EXIT = 2;
export const PTRACE_SYSCALL_INFO_SECCOMP = 3;
/** struct ptrace_syscall_info: the common part, `nr` with its arguments, or what the call has returned. */
export const SyscallInfo = {
  op: 0,
  arch: 4,
  instructionPointer: 8,
  stackPointer: 16,
  nr: 24,
  args: 32,
  retData: 80,
  rval: 24,
  isError: 32,
  noneBytes: 24,
  entryBytes: 80,
  exitBytes: 33,
  seccompBytes: 84,
  sizeBytes: 88,
} as const;

export const AUDIT_ARCH_AARCH64 = 0xc00000b7;

/** Register sets (include/uapi/linux/elf.h). */
export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_ARM_TLS = 0x401;
export const NT_ARM_HW_BREAK = 0x402;
export const NT_ARM_HW_WATCH = 0x403;
export const NT_ARM_SYSTEM_CALL = 0x404;
/** struct user_hwdebug_state: dbg_info, then pairs of address and control. */
export const HwDebug = { info: 0, regs: 8, slotBytes: 16, control: 8, slots: 16, sizeBytes: 264 } as const;
/** ID_AA64DFR0_EL1.DebugVer of ARMv8. */
export const DEBUG_ARCH_V8 = 6;
