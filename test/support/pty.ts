// A command on a pseudo terminal of the host, driven by what it prints.

export class Session {
  private readonly child: Bun.Subprocess;
  private readonly terminal: Bun.Terminal;
  private text = "";
  private wake: () => void = () => {};

  /** Starts the command as the leader of a session whose terminal has the given size. */
  constructor(command: readonly string[], rows = 24, cols = 80) {
    // A terminal that is made here becomes the controlling one; one that is handed over does not.
    this.child = Bun.spawn([...command], {
      terminal: {
        rows,
        cols,
        data: (_, bytes) => {
          this.text += Buffer.from(bytes).toString("latin1");
          this.wake();
        },
      },
      env: { ...process.env, TERM: "vt100", PS1: "$ ", HISTFILE: "" },
    });
    this.terminal = this.child.terminal!;
    this.child.exited.then(() => this.wake());
  }

  send(text: string): void {
    this.terminal.write(text);
  }

  resize(rows: number, cols: number): void {
    this.terminal.resize(cols, rows);
  }

  /** Waits until `wanted` is printed; what came before it, carriage returns dropped. The rest stays for the next call. */
  async expect(wanted: string): Promise<string> {
    const deadline = Date.now() + 6_000;
    for (;;) {
      const at = this.text.indexOf(wanted);
      if (at >= 0) {
        const before = this.text.slice(0, at);
        this.text = this.text.slice(at + wanted.length);
        return before.replaceAll("\r", "");
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > deadline) break;
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await Promise.race([more, Bun.sleep(100)]);
    }
    throw new Error(`${JSON.stringify(wanted)} was not printed, but ${JSON.stringify(this.text)}`);
  }

  /** The exit status, 128 + n for a death by signal; nothing is left running. */
  async end(): Promise<number | string> {
    await Promise.race([this.child.exited, Bun.sleep(6_000)]);
    this.child.kill("SIGKILL");
    await this.child.exited;
    this.terminal.close();
    return this.child.signalCode ?? this.child.exitCode ?? "";
  }
}
