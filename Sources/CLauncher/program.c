// Starting a program of a sandbox.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

struct program programs[PROGRAMS_MAX];

// How likely the kernel took this launcher's place among victims to be before it made itself none; programs get it back.
static char inherited_victim_score[16];

void remember_inherited(void) {
  int file = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, inherited_victim_score, sizeof inherited_victim_score - 1);
  inherited_victim_score[length > 0 ? length : 0] = 0;
  // Refused to some: then the launcher is the smallest process of its group and the last to be chosen anyway.
  if (lseek(file, 0, SEEK_SET) == 0 && write(file, "-1000", 5) != 5) inherited_victim_score[0] = 0;
  close(file);
}

// What is to be run. The child shares this process's memory until its program runs, so that it writes why it failed here.
struct start {
  const char *directory;
  char **arguments;
  char **environment;
  unsigned open_files;
  long long tasks_max;
  int output, error;
  enum launcher_failure failure;  // 0: none.
  char sentence[1024];
};

__attribute__((noreturn, format(printf, 3, 4)))
static void fail(struct start *start, enum launcher_failure failure, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(start->sentence, sizeof start->sentence, format, arguments);
  va_end(arguments);
  start->failure = failure;
  _exit(125);
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

void close_between(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  // Before Linux 5.9.
  struct rlimit limit;
  unsigned end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (unsigned)limit.rlim_cur : 65536;
  for (unsigned descriptor = first; descriptor < end && descriptor <= last; descriptor++) close((int)descriptor);
}

static void limit_open_files(struct start *start) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // Both, as on AWS: else a program that raises its limit to the most it may have would have the host's.
  if (limit.rlim_max > start->open_files) limit.rlim_max = start->open_files;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    fail(start, LAUNCHER_FAILURE_ITSELF, "Cannot limit open files to %u: %s.", start->open_files, strerror(errno));
}

// Counted in the sandbox's own user namespace, which has no other processes.
static void limit_tasks(struct start *start) {
  struct rlimit limit;
  if (start->tasks_max <= 0 || getrlimit(RLIMIT_NPROC, &limit) != 0) return;
  // The launcher is one of them.
  rlim_t most = (rlim_t)start->tasks_max + 1;
  if (limit.rlim_max > most) limit.rlim_max = most;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NPROC, &limit) != 0)
    fail(start, LAUNCHER_FAILURE_ITSELF, "Cannot limit processes to %lld: %s.", start->tasks_max, strerror(errno));
}

static void become_victim_again(void) {
  if (!inherited_victim_score[0]) return;
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  // Refused: then the kernel looks for another victim, and the host ends the sandbox.
  ssize_t ignored = write(file, inherited_victim_score, strlen(inherited_victim_score));
  (void)ignored;
  close(file);
}

__attribute__((noreturn)) static void explain(struct start *start, const char *path, int error) {
  struct stat file;
  switch (error) {
    case E2BIG:
      fail(start, LAUNCHER_FAILURE_TOO_LARGE, "Command and environment are larger than the system takes.");
    case ENOENT:
    case ENOTDIR:
      if (stat(path, &file) == 0)
        fail(start, LAUNCHER_FAILURE_NOT_EXECUTABLE, "The interpreter or loader that %s names does not exist.", path);
      fail(start, LAUNCHER_FAILURE_NOT_FOUND, "The command %s does not exist.", path);
    case ENOEXEC:
      fail(start, LAUNCHER_FAILURE_NOT_EXECUTABLE, "%s is neither a program nor a script with a #! line.", path);
    case EACCES:
      if (stat(path, &file) == 0 && S_ISDIR(file.st_mode))
        fail(start, LAUNCHER_FAILURE_NOT_EXECUTABLE, "The command %s is a directory.", path);
      fail(start, LAUNCHER_FAILURE_NOT_EXECUTABLE, "The command %s is not executable: try chmod +x.", path);
    default: fail(start, LAUNCHER_FAILURE_NOT_EXECUTABLE, "The command %s cannot be executed: %s.", path, strerror(error));
  }
}

static const char *variable(char **environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
  return NULL;
}

// As execvp, but with the program's own PATH, and a file without a #! line is an error and never goes to a shell.
__attribute__((noreturn)) static void run(struct start *start) {
  const char *name = start->arguments[0];
  if (strchr(name, '/')) {
    execve(name, start->arguments, start->environment);
    explain(start, name, errno);
  }
  const char *search = variable(start->environment, "PATH");
  if (!search || !*search) search = "/usr/local/bin:/usr/bin:/bin";
  static char candidate[PATH_MAX], refused[PATH_MAX];
  refused[0] = 0;
  int refusal = 0;
  for (;;) {
    size_t length = strcspn(search, ":");
    int written = length == 0 ? snprintf(candidate, sizeof candidate, "./%s", name)
                              : snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, search, name);
    if (written > 0 && written < (int)sizeof candidate) {
      execve(candidate, start->arguments, start->environment);
      // The first that exists but cannot be executed is the one to talk about, if no later one can be.
      int error = errno;
      struct stat file;
      if (error == E2BIG) explain(start, candidate, error);
      if (!refusal && stat(candidate, &file) == 0 && !S_ISDIR(file.st_mode)) {
        refusal = error;
        memcpy(refused, candidate, sizeof refused);
      }
    }
    if (search[length] == 0) break;
    search += length + 1;
  }
  if (refusal) explain(start, refused, refusal);
  fail(start, LAUNCHER_FAILURE_NOT_FOUND, "The command %s is not in PATH.", name);
}

__attribute__((noreturn)) static void become(struct start *start) {
  int nothing = open("/dev/null", O_RDONLY);
  if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    fail(start, LAUNCHER_FAILURE_ITSELF, "Cannot lead a process group: %s.", strerror(errno));
  become_victim_again();
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(start->output, STDOUT_FILENO) < 0 ||
      dup2(start->error, STDERR_FILENO) < 0)
    fail(start, LAUNCHER_FAILURE_ITSELF, "Cannot connect standard streams: %s.", strerror(errno));
  close_between(3, ~0U);
  if (chdir(start->directory) != 0)
    fail(start, LAUNCHER_FAILURE_DIRECTORY, "Cannot enter the directory %s: %s.", start->directory, strerror(errno));
  limit_open_files(start);
  limit_tasks(start);
  reset_signals();
  run(start);
}

// The texts of a launch, one after the other, as a null-terminated array; NULL if they are fewer than was said.
static char **texts(char **text, const char *end, unsigned count) {
  char **list = calloc(count + 1, sizeof *list);
  for (unsigned index = 0; list && index < count; index++) {
    if (*text >= end) {
      free(list);
      return NULL;
    }
    list[index] = *text;
    *text += strlen(*text) + 1;
  }
  return list;
}

static pid_t spawn(struct start *start) {
  pid_t process = vfork();
  if (process == 0) become(start);
  if (process < 0) {
    start->failure = LAUNCHER_FAILURE_ITSELF;
    snprintf(start->sentence, sizeof start->sentence, "The system refuses to start a process: %s.", strerror(errno));
  } else if (start->failure) {
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {
    }
  }
  return process;
}

void launch(const struct launcher_request *request, long long tasks_max, const int descriptors[3], struct launcher_report *report) {
  static struct start start;
  memset(&start, 0, sizeof start);
  start.open_files = request->open_files;
  start.tasks_max = tasks_max;
  start.output = descriptors[1];
  start.error = descriptors[2];
  struct program *place = program_with(0);
  pid_t process = -1;
  char *block = request->block_bytes == 0
                    ? MAP_FAILED
                    : mmap(NULL, request->block_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptors[0], 0);
  if (!place || block == MAP_FAILED || block[request->block_bytes - 1] != 0) {
    start.failure = LAUNCHER_FAILURE_ITSELF;
    snprintf(start.sentence, sizeof start.sentence, "The launcher cannot take one more program.");
  } else {
    char *text = block, *end = block + request->block_bytes;
    start.directory = text;
    text += strlen(text) + 1;
    start.arguments = texts(&text, end, request->arguments_count);
    start.environment = texts(&text, end, request->environment_count);
    if (start.arguments && start.environment && start.arguments[0]) {
      process = spawn(&start);
    } else {
      start.failure = LAUNCHER_FAILURE_ITSELF;
      snprintf(start.sentence, sizeof start.sentence, "The launcher was given no command.");
    }
    free(start.arguments);
    free(start.environment);
  }
  if (block != MAP_FAILED) munmap(block, request->block_bytes);
  report->program = request->program;
  report->kind = start.failure ? LAUNCHER_FAILED : LAUNCHER_STARTED;
  report->value = start.failure;
  report->process = process;
  memcpy(report->text, start.sentence, sizeof report->text);
  if (!start.failure) *place = (struct program){.number = request->program, .process = process};
}

struct program *program_with(unsigned number) {
  for (int index = 0; index < PROGRAMS_MAX; index++) {
    if (number == 0 ? programs[index].process == 0 : programs[index].process && programs[index].number == number)
      return &programs[index];
  }
  return NULL;
}
