// native 6.18: terminals of the host.
// Pseudo terminals (pty(7), termios(3), tty_ioctl(4)): pairs, line discipline, signals, sizes, hang-up, job control.
#include "say.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[100];
static volatile int got[65];
static void on(int s) { got[s]++; }

static void open_pair(void) {
  master = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(master), unlockpt(master);
  ptsname_r(master, name, sizeof name);
  slave = open(name, O_RDWR | O_NOCTTY);
}
// What can be read now, escaped.
static void show(const char *what, int fd) {
  char b[5000];
  usleep(10000);
  int fl = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, fl | O_NONBLOCK);
  ssize_t n = read(fd, b, sizeof b);
  fcntl(fd, F_SETFL, fl);
  if (n < 0) { printf("%s: %s\n", what, err_name(errno)); return; }
  printf("%s: %zd \"", what, n);
  for (ssize_t i = 0; i < n && i < 200; i++) {
    unsigned char c = b[i];
    if (c < 32 || c > 126) printf("\\%o", c);
    else printf("%c", c);
  }
  printf("\"\n");
}
// Linux hands input to the line discipline in a thread of its own.
static void type(const char *s) {
  if (write(master, s, strlen(s)) < 0) printf("type: %s\n", err_name(errno));
  usleep(10000);
}
static void mode(tcflag_t clear_l, tcflag_t set_l, tcflag_t clear_i, tcflag_t clear_o) {
  struct termios t;
  tcgetattr(slave, &t);
  t.c_lflag = (t.c_lflag & ~clear_l) | set_l;
  t.c_iflag &= ~clear_i;
  t.c_oflag &= ~clear_o;
  tcsetattr(slave, TCSANOW, &t);
}

int main(void) {
  scratch();
  say("ptmx", (master = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0);
  printf("name %d\n", ptsname_r(master, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0);
  say("locked", open(name, O_RDWR | O_NOCTTY));
  close(master);
  open_pair();
  say("slave", slave >= 0);
  printf("ttys %d %d %d\n", isatty(master), isatty(slave), isatty(open("/dev/null", O_RDONLY)));
  struct stat st;
  fstat(slave, &st);
  printf("slave mode %o\n", st.st_mode & S_IFMT);
  int lock = -1, num = -1;
  say("TIOCGPTLCK", ioctl(master, TIOCGPTLCK, &lock));
  ioctl(master, TIOCGPTN, &num);
  printf("lock %d number %d\n", lock, num == atoi(name + 9));
  struct termios t;
  say("tcgetattr", tcgetattr(slave, &t));
  // struct termio, from before termios
  struct { unsigned short i, o, c, l; unsigned char line, cc[8]; } old;
  say("TCGETA", ioctl(slave, 0x5405, &old));
  printf("%ho %ho %ho %ho %d %d %d %d\n", old.i, old.o, old.c, old.l, old.line, old.cc[0], old.cc[4], old.cc[7]);
  old.l &= ~ECHO, old.cc[4] = 5;
  say("TCSETA", ioctl(slave, 0x5406, &old));
  struct termios now;
  tcgetattr(slave, &now);
  printf("echo %d eof %d others %d\n", (now.c_lflag & ECHO) != 0, now.c_cc[VEOF], now.c_iflag == t.c_iflag && now.c_cflag == t.c_cflag);
  old.l |= ECHO, old.cc[4] = 4;
  say("TCSETAW", ioctl(slave, 0x5407, &old));
  say("TCSETAF", ioctl(slave, 0x5408, &old));
  say("TCGETA", ioctl(slave, 0x5405, (void *)8));
  unsigned char locked[64] = {1, 1, 1};
  say("TIOCGLCKTRMIOS", ioctl(slave, 0x5456, locked));
  printf("locked %d %d\n", locked[0], locked[2]);
  printf("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag & ~CBAUD, t.c_lflag);
  printf("cc %d %d %d %d %d %d %d\n", t.c_cc[VINTR], t.c_cc[VQUIT], t.c_cc[VERASE], t.c_cc[VKILL], t.c_cc[VEOF], t.c_cc[VMIN], t.c_cc[VSUSP]);
  struct winsize w;
  say("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &w));
  printf("%d %d\n", w.ws_row, w.ws_col);
  // canonical
  type("hello\n");
  show("echo", master);
  show("line", slave);
  type("part");
  show("no line yet", slave);
  type("ial\nsecond\n");
  show("first line", slave);
  show("second line", slave);
  show("echoes", master);
  type("abX\177c\n");
  show("erased", slave);
  show("erasing echo", master);
  type("one two\027three\n");
  show("word erased", slave);
  show("its echo", master);
  type("gone\025kept\n");
  show("killed", slave);
  show("its echo", master);
  type("lit\026\003x\n");
  show("literal next", slave);
  show("its echo", master);
  type("a\004");
  show("eof after text", slave);
  type("\004");
  show("eof alone", slave);
  show("echo of eof", master);
  type("cr\rlf\n");
  show("cr", slave);
  show("lf", slave);
  show("echo", master);
  type("tab\tctl\001\n");
  show("control", slave);
  show("echo", master);
  write(slave, "out\nput\ttab\n", 12);
  usleep(10000);
  show("output", master);
  int n = 0;
  type("count\nme\n");
  ioctl(slave, FIONREAD, &n);
  say("FIONREAD", n);
  char b[100];
  say("short read", read(slave, b, 3));
  say("rest of the line", read(slave, b, 100));
  say("flush input", tcflush(slave, TCIFLUSH));
  show("flushed", slave);
  show("echo", master);
  // not canonical
  mode(ICANON | ECHO, 0, ICRNL, 0);
  type("raw\r\n\004\177");
  show("raw", slave);
  tcgetattr(slave, &t);
  t.c_cc[VMIN] = 3, t.c_cc[VTIME] = 0;
  tcsetattr(slave, TCSANOW, &t);
  type("12");
  struct pollfd pf = {slave, POLLIN, 0};
  say("poll below VMIN", poll(&pf, 1, 0));
  type("3");
  say("poll at VMIN", poll(&pf, 1, 0));
  say("read", read(slave, b, 10));
  t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 1;
  tcsetattr(slave, TCSANOW, &t);
  say("VTIME", read(slave, b, 10));
  t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 0;
  tcsetattr(slave, TCSANOW, &t);
  say("polling read", read(slave, b, 10));
  t.c_cc[VMIN] = 1;
  cfmakeraw(&t);
  tcsetattr(slave, TCSAFLUSH, &t);
  write(slave, "no\ncr", 5);
  show("raw output", master);
  type("\003\032\034");
  show("no signals in raw mode", slave);
  close(slave), close(master);

  // job control: a child with the terminal as its own
  open_pair();
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(master);
    for (int s = 1; s < 32; s++) signal(s, on);
    setsid();
    say("tcgetpgrp before", tcgetpgrp(slave));
    say("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
    printf("foreground is me %d sid %d\n", tcgetpgrp(slave) == getpid(), tcgetsid(slave) == getsid(0));
    say("/dev/tty", open("/dev/tty", O_RDWR) >= 0);
    struct winsize sz = {33, 77, 0, 0};
    ioctl(slave, TIOCSWINSZ, &sz);
    printf("SIGWINCH %d\n", got[SIGWINCH]);
    ioctl(slave, TIOCSWINSZ, &sz);
    printf("SIGWINCH again %d\n", got[SIGWINCH]);
    write(slave, "ready", 5);
    while (!got[SIGINT]) usleep(1000);
    printf("SIGINT\n");
    while (!got[SIGQUIT]) usleep(1000);
    printf("SIGQUIT\n");
    while (!got[SIGTSTP]) usleep(1000);
    printf("SIGTSTP\n");
    // a background process
    pid_t bg = fork();
    if (bg == 0) {
      setpgid(0, 0);
      signal(SIGTTIN, SIG_DFL), signal(SIGTTOU, SIG_DFL);
      read(slave, b, 1);
      write(slave, "w", 1);
      tcsetpgrp(slave, getpgrp());
      _exit(0);
    }
    int st;
    waitpid(bg, &st, WUNTRACED);
    printf("background read stopped %d by SIGTTIN %d\n", WIFSTOPPED(st), WSTOPSIG(st) == SIGTTIN);
    setpgid(bg, bg);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(slave, bg);
    write(slave, "go", 2);
    kill(-bg, SIGCONT);
    waitpid(bg, &st, WUNTRACED);
    printf("then exited %d\n", WIFEXITED(st) && WEXITSTATUS(st) == 0);
    say("take it back", tcsetpgrp(slave, getpgrp()));
    say("bad group", tcsetpgrp(slave, 999999));
    write(slave, "bye", 3);
    close(slave);
    while (!got[SIGHUP]) usleep(1000);
    printf("SIGHUP, SIGCONT %d\n", got[SIGCONT] > 0);
    say("/dev/tty after the hang-up", open("/dev/tty", O_RDWR));
    fflush(stdout);
    _exit(0);
  }
  char seen[1000] = "";
  int len = 0;
#define EXPECT(text) while (strstr(seen, text) == 0 && (n = read(master, seen + len, sizeof seen - 1 - len)) > 0) seen[len += n] = 0
  EXPECT("ready");
  ioctl(master, TIOCGWINSZ, &w);
  printf("size seen by the master %d %d\n", w.ws_row, w.ws_col);
  type("\003");
  EXPECT("^C");
  type("\034");
  EXPECT("^\\");
  type("\032");
  EXPECT("^Z");
  EXPECT("go");
  type("x\n");
  EXPECT("bye");
  close(slave);
  usleep(20000);
  close(master);
  waitpid(child, 0, 0);

  // hang-up of the other side
  open_pair();
  write(slave, "last words", 10);
  close(slave);
  say("master reads the rest", read(master, b, 100));
  say("then", read(master, b, 100));
  pf.fd = master, pf.events = POLLIN | POLLOUT;
  poll(&pf, 1, 0);
  printf("poll %x\n", pf.revents);
  slave = open(name, O_RDWR | O_NOCTTY);
  say("reopened", slave >= 0);
  write(slave, "again", 5);
  say("master reads again", read(master, b, 100));
  close(master);
  say("slave reads after the master", read(slave, b, 100));
  say("slave writes", write(slave, "x", 1));
  pf.fd = slave;
  poll(&pf, 1, 0);
  printf("poll %x\n", pf.revents);
  say("slave ioctl", ioctl(slave, TIOCGWINSZ, &w));
  close(slave);
  say("name is gone", open(name, O_RDWR | O_NOCTTY));
  // packet mode, exclusive
  open_pair();
  n = 1;
  say("TIOCPKT", ioctl(master, TIOCPKT, &n));
  write(slave, "data", 4);
  show("packet", master);
  tcflush(slave, TCIFLUSH);
  say("TIOCEXCL", ioctl(slave, TIOCEXCL));
  say("open exclusive as root or not", open(name, O_RDWR | O_NOCTTY) >= 0 || errno == EBUSY);
  ioctl(slave, TIOCNXCL);
  say("TCSBRK", ioctl(slave, TCSBRK, 1));
  say("tcflow", tcflow(slave, TCOON));
  say("TIOCOUTQ", ioctl(slave, TIOCOUTQ, &n));
  say("unknown", ioctl(slave, 0x54ff, &n));
  say("TIOCGPGRP without control", ioctl(slave, TIOCGPGRP, &n));
  say("TIOCNOTTY", ioctl(slave, TIOCNOTTY));
  int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  say("TIOCGPTPEER", peer >= 0);
  return 0;
}
