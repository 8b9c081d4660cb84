// Runs a command with DIR as "/" and WORK as "/work", in namespaces of its own, where ELF files for aarch64 go to an emulator: the reference
// for scripts that execute other programs. Nothing is registered on the host (Linux 6.7 gave every user namespace its
// own binfmt_misc). Needs root; the emulator is a static executable, or "-" for a DIR with native programs.
// usage: namespace EMULATOR DIR WORK COMMAND [ARG...]. Status 99 where the kernel does not allow it.

#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNAVAILABLE 99

static void need(int ok, const char *what) {
  if (ok) return;
  perror(what);
  _exit(UNAVAILABLE);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
  close(fd);
}

static void finish(pid_t child) {
  int status;
  waitpid(child, &status, 0);
  _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void register_emulator(const char *emulator) {
  char rule[4096];
  snprintf(rule, sizeof rule,
           ":aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:"
           "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s:FP",
           emulator);
  need(mount("none", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) == 0, "binfmt_misc");
  put("/proc/sys/fs/binfmt_misc/register", rule);
}

static void enter(const char *emulator, const char *dir, const char *work) {
  need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
  need(mount("proc", "/proc", "proc", 0, NULL) == 0, "proc");
  if (strcmp(emulator, "-") != 0) register_emulator(emulator);
  need(mount(dir, dir, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(dir) == 0, dir);
  mkdir("proc", 0755);
  mkdir("dev", 0755);
  mkdir("work", 0755);
  need(mount(work, "work", NULL, MS_BIND, NULL) == 0, work);
  need(mount("proc", "proc", "proc", 0, NULL) == 0, "proc below the root");
  need(mount("/dev", "dev", NULL, MS_BIND | MS_REC, NULL) == 0, "dev below the root");
  need(chroot(".") == 0 && chdir("/work") == 0, "chroot");
}

int main(int argc, char **argv) {
  int unshared[2], mapped[2];
  char byte, path[64];
  if (argc < 5) return 2;
  need(pipe(unshared) == 0 && pipe(mapped) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    // The maps are written from outside: only there is the right to map every id.
    close(unshared[0]);
    close(mapped[1]);
    need(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0, "unshare");
    need(write(unshared[1], "x", 1) == 1 && read(mapped[0], &byte, 1) == 1, "maps");
    need(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0, "setresuid");
    close(unshared[1]);
    close(mapped[0]);
    pid_t init = fork();
    if (init != 0) finish(init);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter(argv[1], argv[2], argv[3]);
    // The command is not process 1, whose signals have no default action.
    pid_t command = fork();
    if (command != 0) finish(command);
    execv(argv[4], argv + 4);
    need(0, argv[4]);
  }
  close(unshared[1]);
  close(mapped[0]);
  if (read(unshared[0], &byte, 1) == 1) {
    for (int i = 0; i < 2; i += 1) {
      snprintf(path, sizeof path, "/proc/%d/%cid_map", (int)child, "ug"[i]);
      put(path, "0 0 4294967295");
    }
    need(write(mapped[1], "x", 1) == 1, "maps");
  }
  finish(child);
}
