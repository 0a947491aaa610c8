// Every process of a sandbox.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

// Deeper than this nobody nests processes by mistake.
enum { DEPTH_MAX = 32 };

// Whether the numbers in /proc are those of this process namespace. They are others where a namespace was made without a /proc of
// its own (unshare --pid): there, a number that is read is another process's, or nobody's.
static bool numbers_are_ours(void) {
  char text[32];
  ssize_t length = readlink("/proc/self", text, sizeof text - 1);
  if (length <= 0) return false;
  text[length] = 0;
  return atoi(text) == (int)getpid();
}

static bool below(pid_t parent, int depth, bool (*each)(pid_t process, void *context), void *context);

// The children of one thread. The kernel lists children by the thread that made them.
static bool below_thread(pid_t parent, const char *thread, int depth, bool (*each)(pid_t, void *), void *context) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)parent, thread);
  FILE *file = fopen(path, "re");
  if (!file) return true;
  bool goes_on = true;
  int child;
  while (goes_on && fscanf(file, "%d", &child) == 1) {
    // 0 is a process without a number here; to signal it would be to signal ourselves.
    if (child <= 1) continue;
    goes_on = each((pid_t)child, context);
    if (goes_on && depth < DEPTH_MAX) goes_on = below((pid_t)child, depth + 1, each, context);
  }
  fclose(file);
  return goes_on;
}

static bool below(pid_t parent, int depth, bool (*each)(pid_t process, void *context), void *context) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
  DIR *threads = opendir(path);
  if (!threads) return true;
  bool goes_on = true;
  for (struct dirent *entry; goes_on && (entry = readdir(threads));) {
    if (isdigit((unsigned char)entry->d_name[0])) goes_on = below_thread(parent, entry->d_name, depth, each, context);
  }
  closedir(threads);
  return goes_on;
}

void each_process(bool has_own_processes, bool (*each)(pid_t process, void *context), void *context) {
  if (!has_own_processes) {
    if (numbers_are_ours()) below(getpid(), 0, each, context);
    return;
  }
  // /proc shows the sandbox's processes and no others.
  DIR *processes = opendir("/proc");
  if (!processes) return;
  for (struct dirent *entry; (entry = readdir(processes));) {
    int process = atoi(entry->d_name);
    if (process > 1 && !each((pid_t)process, context)) break;
  }
  closedir(processes);
}

static bool end_one(pid_t process, void *context) {
  (void)context;
  kill(process, SIGKILL);
  return true;
}

// Where /proc does not tell who is there, what has left its program's group is found by nobody.
enum { BLIND_ROUNDS_MAX = 2000 };

void end_all(bool has_own_processes, void (*reap_all)(void)) {
  bool is_blind = !has_own_processes && !numbers_are_ours();
  // A child of one that ends becomes this process's own, so that the next round finds it, whatever session it made.
  for (int round = 0; !is_blind || round < BLIND_ROUNDS_MAX; round++) {
    if (has_own_processes) {
      kill(-1, SIGKILL);
    } else {
      for (int index = 0; index < PROGRAMS_MAX; index++)
        if (programs[index].process > 0) kill(-programs[index].process, SIGKILL);
      each_process(false, end_one, NULL);
    }
    reap_all();
    siginfo_t left = {0};
    if (waitid(P_ALL, 0, &left, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return;
    usleep(1000);
  }
}
