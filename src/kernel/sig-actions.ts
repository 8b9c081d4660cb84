// Signal dispositions (struct sighand_struct): shared by the threads of a process.

import * as S from "../abi/signal.ts";

/** struct k_sigaction. `handler` is SIG_DFL, SIG_IGN or an address. Tables share them. */
export interface SigAction {
  readonly handler: number;
  readonly flags: number;
  /** Kept for rt_sigaction to report; arm64 returns through the vDSO. */
  readonly restorer: number;
  readonly maskLo: number;
  readonly maskHi: number;
}

export const DEFAULT_ACTION: SigAction = { handler: S.SIG_DFL, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 };
export const IGNORE_ACTION: SigAction = { ...DEFAULT_ACTION, handler: S.SIG_IGN };

export class SigActions {
  /** By signal. */
  private readonly actions: SigAction[];

  constructor(actions: SigAction[] = new Array<SigAction>(S.NSIG + 1).fill(DEFAULT_ACTION)) {
    this.actions = actions;
  }

  get(signal: number): SigAction {
    return this.actions[signal]!;
  }

  set(signal: number, action: SigAction): void {
    this.actions[signal] = action;
  }

  /** The handler goes back to the default, the rest stays. The new action. */
  resetHandler(signal: number): SigAction {
    const action = { ...this.actions[signal]!, handler: S.SIG_DFL };
    this.actions[signal] = action;
    return action;
  }

  copy(): SigActions {
    return new SigActions(this.actions.slice());
  }

  /** execve and CLONE_CLEAR_SIGHAND: handlers go back to the default, ignored signals stay ignored. */
  reset(): void {
    for (let signal = 1; signal <= S.NSIG; signal++) {
      const ignored = this.actions[signal]!.handler === S.SIG_IGN;
      this.actions[signal] = ignored ? IGNORE_ACTION : DEFAULT_ACTION;
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
