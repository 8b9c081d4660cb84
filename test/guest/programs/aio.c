// native: the emulator knows none of these calls.
// io_setup(2), io_submit(2), io_getevents(2), io_destroy(2): requests on files, vectors, events through an eventfd, limits, errors.
#include "say.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <time.h>

static long setup(unsigned n, aio_context_t *c) { return syscall(SYS_io_setup, n, c); }
static long submit(aio_context_t c, long n, struct iocb **list) { return syscall(SYS_io_submit, c, n, list); }
static long events(aio_context_t c, long min, long max, struct io_event *e, struct timespec *t) {
  return syscall(SYS_io_getevents, c, min, max, e, t);
}
static struct iocb request(int op, int fd, void *buffer, size_t length, long offset, unsigned long data) {
  return (struct iocb){.aio_lio_opcode = op, .aio_fildes = fd, .aio_buf = (unsigned long)buffer, .aio_nbytes = length,
                       .aio_offset = offset, .aio_data = data};
}
static void on(int s) { (void)s; }
static void show(long n, struct io_event *e) {
  for (long i = 0; i < n; i++) printf("data %llx result %lld %lld\n", (unsigned long long)e[i].data, (long long)e[i].res, (long long)e[i].res2);
}
int main(void) {
  char path[] = "/tmp/carrick-aio-XXXXXX";
  int fd = mkstemp(path);
  unlink(path);
  aio_context_t c = 0, other = 1;
  say("no requests", setup(0, &c));
  say("not zero", setup(4, &other));
  say("bad pointer", setup(4, (void *)8));
  say("setup", setup(8, &c));
  printf("context %d first word %x\n", c != 0, *(unsigned *)c & 0);
  char out[] = "0123456789", in[32] = {0}, more[4] = {0};
  struct iovec v[2] = {{in + 10, 3}, {more, 4}};
  struct iocb w = request(IOCB_CMD_PWRITE, fd, out, 10, 5, 0x1122334455667788ul);
  struct iocb s = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0, 2);
  struct iocb r = request(IOCB_CMD_PREAD, fd, in, 10, 7, 3);
  struct iocb rv = request(IOCB_CMD_PREADV, fd, v, 2, 5, 4);
  struct iocb *list[4] = {&w, &s, &r, &rv};
  struct io_event e[8];
  // one after the other, because nobody promises an order
  for (int i = 0; i < 4; i++) {
    say("submit", submit(c, 1, &list[i]));
    long n = events(c, 1, 8, e, NULL);
    say("events", n);
    show(n, e);
    printf("request %d\n", e[0].obj == (unsigned long)list[i]);
  }
  printf("%.8s %.3s %.4s\n", in, in + 10, more);
  struct timespec now = {0, 0}, soon = {0, 20000000};
  say("nothing", events(c, 0, 8, e, &now));
  say("in vain", events(c, 1, 8, e, &soon));
  say("more than all", events(c, 3, 2, e, &now));
  say("no context", events(0, 1, 1, e, &now));
  signal(SIGALRM, on);
  siginterrupt(SIGALRM, 1);
  setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 30000}, NULL);
  say("interrupted", events(c, 1, 8, e, NULL));
  // an eventfd
  int ev = eventfd(0, EFD_NONBLOCK);
  w.aio_flags = IOCB_FLAG_RESFD;
  w.aio_resfd = ev;
  struct iocb *two[2] = {&w, &w};
  say("submit", submit(c, 2, two));
  say("events", events(c, 2, 8, e, NULL));
  unsigned long count = 0;
  say("eventfd", read(ev, &count, 8));
  printf("%lu\n", count);
  w.aio_resfd = fd;
  say("no eventfd", submit(c, 1, two));
  w.aio_flags = 0;
  // what is refused when it is submitted, and what is an event
  struct iocb x = request(IOCB_CMD_PREAD, 1000, in, 1, 0, 9);
  struct iocb *bads[2] = {&r, &x};
  say("bad descriptor", submit(c, 1, bads + 1));
  say("good, bad", submit(c, 2, bads));
  say("events", events(c, 1, 8, e, NULL));
  x = request(99, fd, in, 1, 0, 9);
  say("no such command", submit(c, 1, bads + 1));
  int only = open("/dev/null", O_WRONLY);
  x = request(IOCB_CMD_PREAD, only, in, 1, 0, 9);
  say("not for reading", submit(c, 1, bads + 1));
  x = request(IOCB_CMD_PREAD, fd, in, 1, -1, 9);
  say("before the start", submit(c, 1, bads + 1));
  long n = events(c, 1, 8, e, &soon);
  show(n, e);
  x = request(IOCB_CMD_PREAD, fd, (void *)8, 1, 6, 10);
  say("bad buffer", submit(c, 1, bads + 1));
  n = events(c, 1, 8, e, &soon);
  show(n, e);
  x.aio_reserved2 = 1;
  say("reserved", submit(c, 1, bads + 1));
  say("bad list", submit(c, 1, (void *)8));
  say("none", submit(c, 0, NULL));
  say("less than none", submit(c, -1, NULL));
  say("cancel", syscall(SYS_io_cancel, c, &r, e));
  pid_t pid = fork();
  if (pid == 0) _exit(submit(c, 1, list) == -1 && errno == EINVAL ? 3 : 4);
  int status;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  // the ring: events are there to be seen, and to be taken without a call
  struct ring { unsigned id, nr, head, tail, magic, compat, incompat, length; struct io_event events[]; } *ring = (void *)c;
  printf("magic %x %u %u %u room %d\n", ring->magic, ring->compat, ring->incompat, ring->length, ring->nr >= 18);
  printf("page is full %lu\n", (ring->length + ring->nr * sizeof(struct io_event)) % 4096);
  printf("empty %d\n", ring->head == ring->tail);
  w = request(IOCB_CMD_PWRITE, fd, out, 10, 5, 77);
  list[0] = &w;
  unsigned long sum = 0;
  for (unsigned i = 0; i < 3 * ring->nr; i++) {
    if (submit(c, 1, list) != 1) { say("submit", -1); break; }
    while (*(volatile unsigned *)&ring->head != *(volatile unsigned *)&ring->tail) {
      sum += ring->events[ring->head].data + ring->events[ring->head].res;
      ring->head = (ring->head + 1) % ring->nr;
    }
  }
  printf("seen %d\n", sum == 87ul * 3 * ring->nr);
  say("none left", events(c, 0, 8, e, &now));
  say("submit", submit(c, 1, list));
  printf("one %u\n", (ring->tail + ring->nr - ring->head) % ring->nr);
  say("events", events(c, 1, 8, e, NULL));
  printf("none %u\n", (ring->tail + ring->nr - ring->head) % ring->nr);
  unsigned full = 0;
  while (full < 2 * ring->nr && submit(c, 1, list) == 1) full++;
  say("full", -1);
  printf("there is an end %d\n", full < ring->nr && full >= 8);
  say("bad address", events(c, 1, 8, (void *)8, NULL));
  say("destroy", syscall(SYS_io_destroy, c));
  say("again", syscall(SYS_io_destroy, c));
  say("submit", submit(c, 1, list));
  return 0;
}
