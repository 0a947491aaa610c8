// kelvin-launcher: the process that the function host spawns for an instance. It prepares itself and becomes the function.
//
//   kelvin-launcher --parent PID --directory DIRECTORY [--nofile N] [--status FD] -- COMMAND [ARGUMENT ...]
//
// It exists because what it does must happen in the child, after the fork and before the exec, where a process with
// threads may do almost nothing: so the host spawns this small program, which may do anything. Limits that come later
// (namespaces, mounts, control groups) have their place between `leave_host` and `run`.
//
// A failed start is one sentence on stderr and an exit status: 127 the command does not exist, 126 it cannot be
// executed, 125 the launcher itself failed. With --status the same goes to that descriptor, behind one letter
// (see `enum failure`); the descriptor is closed without a word when the function's program starts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum failure {
  FAILURE_LAUNCHER = 'l',
  FAILURE_DIRECTORY = 'd',
  FAILURE_NOT_FOUND = 'n',
  FAILURE_NOT_EXECUTABLE = 'x',
};

struct options {
  long parent;
  const char *directory;
  long open_files;  // 0: as inherited.
  int status;       // -1: none.
  char **command;
};

static int status_descriptor = -1;

__attribute__((noreturn, format(printf, 2, 3))) static void fail(enum failure failure, const char *format, ...) {
  char sentence[4096];
  va_list arguments;
  va_start(arguments, format);
  sentence[0] = (char)failure;
  int length = vsnprintf(sentence + 1, sizeof sentence - 2, format, arguments);
  va_end(arguments);
  if (length < 0) length = 0;
  if (length > (int)sizeof sentence - 3) length = (int)sizeof sentence - 3;
  if (status_descriptor >= 0) {
    // Nobody reads: then stderr is all there is.
    ssize_t ignored = write(status_descriptor, sentence, (size_t)length + 1);
    (void)ignored;
  }
  sentence[length + 1] = '\n';
  ssize_t ignored = write(STDERR_FILENO, sentence + 1, (size_t)length + 1);
  (void)ignored;
  switch (failure) {
    case FAILURE_NOT_FOUND: _exit(127);
    case FAILURE_NOT_EXECUTABLE: _exit(126);
    default: _exit(125);
  }
}

static long number(const char *name, const char *text, long minimum, long maximum) {
  char *end = NULL;
  errno = 0;
  long value = text ? strtol(text, &end, 10) : 0;
  if (!text || errno || end == text || *end || value < minimum || value > maximum)
    fail(FAILURE_LAUNCHER, "kelvin-launcher: %s wants a number from %ld to %ld.", name, minimum, maximum);
  return value;
}

static struct options parse(int count, char **arguments) {
  struct options options = {.status = -1};
  int index = 1;
  while (index < count && strcmp(arguments[index], "--") != 0) {
    const char *name = arguments[index];
    const char *value = index + 1 < count ? arguments[index + 1] : NULL;
    if (strcmp(name, "--parent") == 0) {
      options.parent = number(name, value, 1, INT_MAX);
    } else if (strcmp(name, "--directory") == 0 && value) {
      options.directory = value;
    } else if (strcmp(name, "--nofile") == 0) {
      options.open_files = number(name, value, 8, INT_MAX);
    } else if (strcmp(name, "--status") == 0) {
      options.status = status_descriptor = (int)number(name, value, 3, INT_MAX);
    } else {
      fail(FAILURE_LAUNCHER, "kelvin-launcher: unknown option %s.", name);
    }
    index += 2;
  }
  if (options.parent == 0 || !options.directory || index + 1 >= count)
    fail(FAILURE_LAUNCHER,
         "usage: kelvin-launcher --parent PID --directory DIRECTORY [--nofile N] [--status FD] -- COMMAND [ARGUMENT ...]");
  options.command = arguments + index + 1;
  return options;
}

// The instance ends with its host, whatever ends the host.
static void follow_parent(long parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    fail(FAILURE_LAUNCHER, "kelvin-launcher: cannot ask to end with the host: %s.", strerror(errno));
  // The host may have ended before the call above: then nobody will tell us.
  if (getppid() != (pid_t)parent) fail(FAILURE_LAUNCHER, "kelvin-launcher: the host that started this has ended.");
}

static void reset_signals(void) {
  // The system call itself, because glibc keeps 32 and 33 for itself and refuses to touch them, while an ancestor may
  // have ignored them. All zero is SIG_DFL with no flags; 64 bytes are more than any architecture's structure.
  static const unsigned char standard[64];
  for (int number = 1; number <= 64; number++) {
    if (number != SIGKILL && number != SIGSTOP) syscall(SYS_rt_sigaction, number, standard, NULL, 8);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(unsigned first) {
  if (close_range(first, ~0U, 0) == 0) return;
  // Before Linux 5.9.
  struct rlimit limit;
  unsigned end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (unsigned)limit.rlim_cur : 65536;
  for (unsigned descriptor = first; descriptor < end; descriptor++) close((int)descriptor);
}

// Lets go of everything that belongs to the host but the three standard streams.
static void leave_host(struct options *options) {
  if (setpgid(0, 0) != 0 && getpgrp() != getpid())
    fail(FAILURE_LAUNCHER, "kelvin-launcher: cannot lead a process group: %s.", strerror(errno));
  follow_parent(options->parent);
  reset_signals();
  if (options->status >= 0) {
    if (options->status != 3 && dup2(options->status, 3) != 3)
      fail(FAILURE_LAUNCHER, "kelvin-launcher: --status %d is not open.", options->status);
    if (fcntl(3, F_SETFD, FD_CLOEXEC) != 0) {
      status_descriptor = -1;
      fail(FAILURE_LAUNCHER, "kelvin-launcher: --status %d is not open.", options->status);
    }
    status_descriptor = 3;
    close_from(4);
  } else {
    close_from(3);
  }
}

static void limit_open_files(long count) {
  struct rlimit limit;
  if (count == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max < (rlim_t)count ? limit.rlim_max : (rlim_t)count;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    fail(FAILURE_LAUNCHER, "kelvin-launcher: cannot limit open files to %ld: %s.", count, strerror(errno));
}

__attribute__((noreturn)) static void explain(const char *path, int error) {
  struct stat file;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      if (stat(path, &file) == 0)
        fail(FAILURE_NOT_EXECUTABLE, "The interpreter or loader that %s names does not exist.", path);
      fail(FAILURE_NOT_FOUND, "The command %s does not exist.", path);
    case ENOEXEC: fail(FAILURE_NOT_EXECUTABLE, "%s is neither a program nor a script with a #! line.", path);
    case EACCES:
      if (stat(path, &file) == 0 && S_ISDIR(file.st_mode))
        fail(FAILURE_NOT_EXECUTABLE, "The command %s is a directory.", path);
      fail(FAILURE_NOT_EXECUTABLE, "The command %s is not executable: try chmod +x.", path);
    default: fail(FAILURE_NOT_EXECUTABLE, "The command %s cannot be executed: %s.", path, strerror(error));
  }
}

// As execvp, but a file without a #! line is an error and never goes to a shell.
__attribute__((noreturn)) static void run(char **command) {
  const char *name = command[0];
  if (strchr(name, '/')) {
    execv(name, command);
    explain(name, errno);
  }
  const char *search = getenv("PATH");
  if (!search || !*search) search = "/usr/local/bin:/usr/bin:/bin";
  char candidate[PATH_MAX], refused[PATH_MAX] = "";
  int refusal = 0;
  while (*name) {
    size_t length = strcspn(search, ":");
    int written = length == 0 ? snprintf(candidate, sizeof candidate, "./%s", name)
                              : snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, search, name);
    if (written > 0 && written < (int)sizeof candidate) {
      execv(candidate, command);
      // The first that exists but cannot be executed is the one to talk about, if no later one can be.
      struct stat file;
      if (!refusal && stat(candidate, &file) == 0 && !S_ISDIR(file.st_mode)) {
        refusal = errno;
        memcpy(refused, candidate, sizeof refused);
      }
    }
    if (search[length] == 0) break;
    search += length + 1;
  }
  if (refusal) explain(refused, refusal);
  fail(FAILURE_NOT_FOUND, "The command %s is not in PATH.", name);
}

int main(int argc, char **argv) {
  struct options options = parse(argc, argv);
  leave_host(&options);
  if (chdir(options.directory) != 0)
    fail(FAILURE_DIRECTORY, "Cannot enter the directory %s: %s.", options.directory, strerror(errno));
  limit_open_files(options.open_files);
  run(options.command);
}
