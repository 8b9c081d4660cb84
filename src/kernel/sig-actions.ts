// Signal dispositions (struct sighand_struct): shared by the threads of a process.

import * as S from "../abi/signal.ts";

/** struct k_sigaction. `handler` is SIG_DFL, SIG_IGN or an address. */
export interface SigAction {
  handler: number;
  flags: number;
  /** Kept for rt_sigaction to report; arm64 returns through the vDSO. */
  restorer: number;
  maskLo: number;
  maskHi: number;
}

const DEFAULT: Readonly<SigAction> = { handler: S.SIG_DFL, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 };

export class SigActions {
  private readonly actions: SigAction[] = [];

  constructor() {
    for (let signal = 0; signal <= S.NSIG; signal++) this.actions.push({ ...DEFAULT });
  }

  get(signal: number): SigAction {
    return this.actions[signal]!;
  }

  set(signal: number, action: SigAction): void {
    this.actions[signal] = action;
  }

  copy(): SigActions {
    const actions = new SigActions();
    for (let signal = 1; signal <= S.NSIG; signal++) actions.actions[signal] = { ...this.actions[signal]! };
    return actions;
  }

  /** execve and CLONE_CLEAR_SIGHAND: handlers go back to the default, ignored signals stay ignored. */
  reset(): void {
    for (let signal = 1; signal <= S.NSIG; signal++) {
      const ignored = this.actions[signal]!.handler === S.SIG_IGN;
      this.actions[signal] = { ...DEFAULT, handler: ignored ? S.SIG_IGN : S.SIG_DFL };
    }
  }

  /** Whether delivery of the signal would do nothing. */
  isIgnored(signal: number): boolean {
    const handler = this.actions[signal]!.handler;
    return handler === S.SIG_IGN || (handler === S.SIG_DFL && isIgnoredByDefault(signal));
  }
}

export function isIgnoredByDefault(signal: number): boolean {
  return signal === S.SIGCHLD || signal === S.SIGCONT || signal === S.SIGWINCH || signal === S.SIGURG;
}

export function isStopSignal(signal: number): boolean {
  return signal >= S.SIGSTOP && signal <= S.SIGTTOU;
}

/** Signals whose default action writes a core file. */
export function isCoreSignal(signal: number): boolean {
  switch (signal) {
    case S.SIGQUIT:
    case S.SIGILL:
    case S.SIGTRAP:
    case S.SIGABRT:
    case S.SIGBUS:
    case S.SIGFPE:
    case S.SIGSEGV:
    case S.SIGXCPU:
    case S.SIGXFSZ:
    case S.SIGSYS:
      return true;
    default:
      return false;
  }
}
