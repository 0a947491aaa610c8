// What all processes of a sandbox hold in memory, where no control group counts it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher.h"

struct sum {
  bool exact;
  long long bytes;
};

static bool read_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t length = read(file, text, size - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = 0;
  return true;
}

// What is the process's own: resident pages that are no file's.
static long long resident(pid_t process) {
  char path[48], text[128];
  long long all = 0, shared = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", (int)process);
  if (!read_file(path, text, sizeof text) || sscanf(text, "%*d %lld %lld", &all, &shared) != 2) return 0;
  return (all - shared) * sysconf(_SC_PAGESIZE);
}

// Its share of what it holds together with others: pages that a fork left with both count once.
static long long proportional(pid_t process) {
  char path[48], text[2048];
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
  if (!read_file(path, text, sizeof text)) return resident(process);
  long long kilobytes = 0, part = 0;
  static const char *const names[] = {"\nPss_Anon:", "\nPss_Shmem:"};
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    const char *line = strstr(text, names[index]);
    if (!line || sscanf(line + strlen(names[index]), "%lld", &part) != 1) return resident(process);
    kilobytes += part;
  }
  return kilobytes * 1024;
}

static bool add(pid_t process, void *context) {
  struct sum *sum = context;
  sum->bytes += sum->exact ? proportional(process) : resident(process);
  return true;
}

long long memory_of_all(bool has_own_processes, bool exact) {
  struct sum sum = {.exact = exact};
  each_process(has_own_processes, add, &sum);
  return sum.bytes;
}
