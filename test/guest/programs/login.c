// native 6.18, root: who can end a login begins one: /proc/PID/loginuid and sessionid, as PAM writes them for sshd, cron and su.
#include "say.h"
#define UNSET "4294967295"

static const char *get(const char *path) {
  static char text[64];
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  text[n < 0 ? 0 : n] = 0;
  close(fd);
  return text;
}
static void set(const char *what, const char *path, const char *text) {
  int fd = open(path, O_RDWR | O_NOFOLLOW);
  ssize_t n = write(fd, text, strlen(text));
  say(what, n);
  close(fd);
}
static void mode(const char *path) {
  struct stat st;
  printf("%s %o\n", path, stat(path, &st) ? 0 : st.st_mode & 0777);
}

static void begin(void) {
  set("begin", "/proc/self/loginuid", "1000\n");
  printf("login %s\n", get("/proc/self/loginuid"));
  int session = atoi(get("/proc/self/sessionid"));
  printf("session %d\n", session > 0);
  char parent[64];
  sprintf(parent, "/proc/%d/loginuid", getppid());
  set("somebody else", parent, "7");
  printf("parent %s\n", get(parent));
  set("no number", "/proc/self/loginuid", "joe");
  set("negative", "/proc/self/loginuid", "-1");
  set("nothing", "/proc/self/loginuid", "");
  set("too large", "/proc/self/loginuid", "4294967296");
  set("sessionid", "/proc/self/sessionid", "1");
  set("stat", "/proc/self/stat", "1");
  set("meminfo", "/proc/meminfo", "1");
  set("uid_map", "/proc/self/uid_map", "0 0 1");
  set("setgroups", "/proc/self/setgroups", "deny");
  set("setgroups again", "/proc/self/setgroups", "allow");
  set("no such", "/proc/self/setgroups", "x");
  fflush(stdout);
  if (fork() == 0) {
    printf("child %s", get("/proc/self/loginuid"));
    printf(" %d\n", atoi(get("/proc/self/sessionid")) == session);
    set("again", "/proc/thread-self/loginuid", "0");
    printf("child %s", get("/proc/self/loginuid"));
    printf(" %d\n", atoi(get("/proc/self/sessionid")) > session);
    fflush(stdout);
    int fd = open("/proc/self/loginuid", O_RDWR);
    say("give up rights", setuid(1000));
    say("without them", write(fd, "7", 1));
    printf("child %s\n", get("/proc/self/loginuid"));
    exit(0);
  }
  wait(NULL);
  printf("still %s\n", get("/proc/self/loginuid"));
  set("end", "/proc/self/loginuid", UNSET);
  printf("login %s", get("/proc/self/loginuid"));
  printf(" session %s\n", get("/proc/self/sessionid"));
}

int main(void) {
  mode("/proc/self/loginuid");
  mode("/proc/self/sessionid");
  mode("/proc/self/limits");
  set("none", "/proc/self/loginuid", UNSET);
  printf("login %s", get("/proc/self/loginuid"));
  printf(" session %s\n", get("/proc/self/sessionid"));
  fflush(stdout);
  if (fork() == 0) {
    begin();
    exit(0);
  }
  wait(NULL);
  return 0;
}
