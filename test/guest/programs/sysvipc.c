// native 5.15: the emulator knows little of System V IPC.
// sysvipc(7): shared memory, semaphores with undo and waits, message queues; keys, permission, errors.
#include "say.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

static const key_t key = 0x43415252;

static void nothing(int s) {}
static int op(int id, int num, int change, int flags) {
  struct sembuf b = {num, change, flags};
  return semop(id, &b, 1);
}
// Until a child waits for something, however long it takes to get there.
static void asleep(pid_t pid) {
  char path[32], b[512], state = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  do {
    usleep(10000);
    int fd = open(path, O_RDONLY);
    long n = read(fd, b, sizeof b - 1);
    close(fd);
    b[n > 0 ? n : 0] = 0;
    char *end = strrchr(b, ')');
    state = end ? end[2] : 0;
  } while (state != 'S' && state != 0);
}
static void shared_memory(void) {
  say("none", shmget(key, 100, 0));
  int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640);
  ok("get", id);
  say("exists", shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640));
  printf("same %d\n", shmget(key, 100, 0) == id);
  say("larger", shmget(key, 6000, 0));
  say("empty", shmget(IPC_PRIVATE, 0, 0600));
  struct shmid_ds d;
  say("stat", shmctl(id, IPC_STAT, &d));
  printf("key %x mode %o size %zu attached %d creator %d\n", d.shm_perm.__key, d.shm_perm.mode, d.shm_segsz, (int)d.shm_nattch, d.shm_cpid == getpid());
  char *a = shmat(id, 0, 0), *r = shmat(id, 0, SHM_RDONLY);
  printf("attached %d %d zero %d\n", a != (void *)-1, r != (void *)-1, a[4999]);
  strcpy(a, "shared");
  printf("read %s\n", r);
  say("odd", (long)shmat(id, a + 1, 0));
  say("taken", (long)shmat(id, a, 0));
  printf("replaced %d\n", shmat(id, a, SHM_REMAP) == a);
  printf("rounded %d\n", shmat(id, a + 5, SHM_REMAP | SHM_RND) == a);
  say("protect", mprotect(r, 4096, PROT_READ | PROT_WRITE));
  shmctl(id, IPC_STAT, &d);
  printf("attached %d\n", (int)d.shm_nattch);
  if (fork() == 0) {
    shmctl(id, IPC_STAT, &d);
    printf("in the child %d\n", (int)d.shm_nattch);
    strcpy(a + 4096, "from the child");
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  printf("%s\n", a + 4096);
  d.shm_perm.mode = 0600;
  say("set", shmctl(id, IPC_SET, &d));
  shmctl(id, IPC_STAT, &d);
  printf("mode %o\n", d.shm_perm.mode);
  say("remove", shmctl(id, IPC_RMID, 0));
  say("key gone", shmget(key, 0, 0));
  shmctl(id, IPC_STAT, &d);
  printf("mode %o\n", d.shm_perm.mode);
  char *late = shmat(id, 0, 0);
  printf("still %s\n", late);
  say("detach", shmdt(late));
  say("detach", shmdt(r));
  say("detach twice", shmdt(r));
  say("detach", shmdt(a));
  say("gone", shmctl(id, IPC_STAT, &d) == -1 ? 0 : 1);
  say("bad", (long)shmat(-1, 0, 0));
  say("bad command", shmctl(0, 999, 0));
}
static void semaphores(void) {
  say("none", semget(key, 1, 0));
  int id = semget(key, 3, IPC_CREAT | 0600);
  ok("get", id);
  say("more", semget(key, 4, 0));
  say("many", semget(IPC_PRIVATE, 40000, 0600));
  unsigned short v[3] = {1, 2, 3};
  say("setall", semctl(id, 0, SETALL, v));
  say("getval", semctl(id, 1, GETVAL));
  say("setval", semctl(id, 1, SETVAL, 7));
  say("range", semctl(id, 1, SETVAL, 40000) == -1 && errno == ERANGE);
  memset(v, 0, sizeof v);
  semctl(id, 0, GETALL, v);
  printf("%d %d %d\n", v[0], v[1], v[2]);
  say("bad number", semctl(id, 5, GETVAL));
  say("down", op(id, 0, -1, 0));
  say("would wait", op(id, 0, -1, IPC_NOWAIT));
  say("not zero", op(id, 1, 0, IPC_NOWAIT));
  say("zero", op(id, 0, 0, IPC_NOWAIT));
  say("beyond", op(id, 9, 1, 0));
  say("too high", op(id, 0, 32767, 0));
  say("over", op(id, 0, 1, 0) == -1 && errno == ERANGE);
  semctl(id, 0, SETVAL, 0);
  // all or nothing
  struct sembuf two[2] = {{1, -3, IPC_NOWAIT}, {0, -1, IPC_NOWAIT}};
  say("both", semop(id, two, 2));
  say("untouched", semctl(id, 1, GETVAL));
  struct timespec ts = {0, 10000000};
  struct sembuf down = {0, -1, 0};
  say("timeout", semtimedop(id, &down, 1, &ts));
  pid_t pid = fork();
  if (pid == 0) _exit(op(id, 0, -2, 0) == 0 ? 4 : 5);
  while (semctl(id, 0, GETNCNT) != 1) usleep(1000);
  say("one more", op(id, 0, 1, 0));
  usleep(2000);
  say("waits", semctl(id, 0, GETNCNT));
  op(id, 0, 1, 0);
  int status;
  waitpid(pid, &status, 0);
  printf("child %d pid %d value %d\n", WEXITSTATUS(status), semctl(id, 0, GETPID) == pid, semctl(id, 0, GETVAL));
  if (fork() == 0) {
    op(id, 1, -2, SEM_UNDO);
    printf("child sees %d\n", semctl(id, 1, GETVAL));
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  say("undone", semctl(id, 1, GETVAL));
  signal(SIGALRM, SIG_DFL);
  struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &sa, 0);
  ualarm(20000, 0);
  say("interrupted", op(id, 0, -1, 0));
  if ((pid = fork()) == 0) {
    int r = op(id, 0, -1, 0);
    _exit(r == -1 && errno == EIDRM ? 6 : 7);
  }
  while (semctl(id, 0, GETNCNT) != 1) usleep(1000);
  say("remove", semctl(id, 0, IPC_RMID));
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  say("gone", semctl(id, 0, GETVAL) == -1 ? 0 : 1);
}
struct text { long type; char t[200]; };
static long get(int id, long type, int flags) {
  struct text m = {0};
  long n = msgrcv(id, &m, sizeof m.t, type, flags);
  if (n >= 0) printf("[%ld %s] ", m.type, m.t);
  return n;
}
static void messages(void) {
  int id = msgget(key, IPC_CREAT | 0600);
  ok("get", id);
  for (int i = 1; i <= 5; i++) {
    struct text m = {6 - i};
    sprintf(m.t, "message %d", i);
    say("send", msgsnd(id, &m, strlen(m.t), 0));
  }
  struct text bad = {0};
  say("type 0", msgsnd(id, &bad, 1, 0));
  say("size", msgsnd(id, &bad, 9000, 0));
  struct msqid_ds d;
  msgctl(id, IPC_STAT, &d);
  printf("messages %d bytes %d max %d sender %d\n", (int)d.msg_qnum, (int)d.__msg_cbytes, (int)d.msg_qbytes, d.msg_lspid == getpid());
  say("first", get(id, 0, 0));
  say("of type 2", get(id, 2, 0));
  say("lowest up to 3", get(id, -3, 0));
  say("not 4", get(id, 4, MSG_EXCEPT));
  struct text small;
  say("too small", msgrcv(id, &small, 3, 0, 0));
  say("cut", msgrcv(id, &small, 3, 0, MSG_NOERROR));
  say("empty", get(id, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
  pid_t pid = fork();
  if (pid == 0) {
    struct text m;
    _exit(msgrcv(id, &m, sizeof m.t, 9, 0) == 3 ? 8 : 9);
  }
  struct text m = {7, "no"};
  msgsnd(id, &m, 2, 0);
  m.type = 9;
  msgsnd(id, &m, 3, 0);
  int status, n = 0;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  get(id, 0, 0);
  while (msgsnd(id, &m, 200, IPC_NOWAIT) == 0) n++;
  say("full", errno == EAGAIN);
  printf("messages %d\n", n);
  if ((pid = fork()) == 0) _exit(msgsnd(id, &m, 200, 0) == 0 ? 1 : errno == EIDRM ? 2 : 3);
  asleep(pid);
  get(id, 0, 0);
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  if ((pid = fork()) == 0) _exit(msgsnd(id, &m, 200, 0) == 0 ? 1 : errno == EIDRM ? 2 : 3);
  asleep(pid);
  say("remove", msgctl(id, IPC_RMID, 0));
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
}
int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  shared_memory();
  // nobody has anything to undo yet (KCMP_SYSVSEM)
  pid_t pid = fork();
  if (pid == 0) pause();
  say("undo lists", syscall(SYS_kcmp, getpid(), pid, 6, 0, 0));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  semaphores();
  messages();
  return 0;
}
