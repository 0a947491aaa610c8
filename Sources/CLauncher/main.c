// kelvin-launcher: the init of a sandbox.
//
//   kelvin-launcher --control FD [--group PATH]... [--user] [--processes] [--mounts] [--messages] [--storage BYTES]
//                   [--shared BYTES] [--keep PATH]... [--memory BYTES] [--tasks COUNT] [--layer PATH]...
//
// The function host starts one for each instance: as process 1 of a process namespace where the kernel allows it, else as
// an ordinary process that adopts whatever its descendants leave behind. It surrounds itself with what the host asks for
// (control groups, mounts, a /tmp of a fixed size), then starts the instance's programs as it is told over the socket
// FD, signals them, reaps everything, and reports. It ends, and all of the sandbox with it, when it is told to, or
// when the host's end of the socket is closed, which the kernel does however the host ends.
//
// What is said over the socket is in LauncherProtocol.h.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"

enum { SAMPLE_MILLISECONDS = 100 };

static struct options options = {.control = -1};
static long long memory_peak;
static bool is_frozen;

__attribute__((noreturn)) static void usage(const char *problem) {
  fprintf(stderr, "kelvin-launcher: %s. It is started by kelvin host and of no use by hand.\n", problem);
  _exit(64);
}

static long long number(const char *text) {
  char *end = NULL;
  errno = 0;
  long long value = text ? strtoll(text, &end, 10) : 0;
  if (!text || errno || end == text || *end || value < 0) usage("an option wants a number");
  return value;
}

static void parse(int count, char **arguments) {
  for (int index = 1; index < count; index++) {
    const char *name = arguments[index];
    const char *value = index + 1 < count ? arguments[index + 1] : NULL;
    if (strcmp(name, "--processes") == 0) {
      options.processes = true;
      continue;
    } else if (strcmp(name, "--user") == 0) {
      options.user = true;
      continue;
    } else if (strcmp(name, "--mounts") == 0) {
      options.mounts = true;
      continue;
    } else if (strcmp(name, "--messages") == 0) {
      options.messages = true;
      continue;
    } else if (strcmp(name, "--control") == 0) {
      options.control = (int)number(value);
    } else if (strcmp(name, "--storage") == 0) {
      options.storage_bytes = number(value);
    } else if (strcmp(name, "--shared") == 0) {
      options.shared_bytes = number(value);
    } else if (strcmp(name, "--tasks") == 0) {
      options.tasks_max = number(value);
    } else if (strcmp(name, "--memory") == 0) {
      options.memory_bytes = number(value);
    } else if (strcmp(name, "--group") == 0 && value && options.groups_count < 4) {
      options.groups[options.groups_count++] = value;
    } else if (strcmp(name, "--layer") == 0 && value && options.layers_count < LAYERS_MAX) {
      options.layers[options.layers_count++] = value;
    } else if (strcmp(name, "--keep") == 0 && value && options.kept_count < PATHS_MAX) {
      options.kept[options.kept_count++] = value;
    } else {
      usage("there is an unknown option");
    }
    index++;
  }
  if (options.control < 0) usage("--control is missing");
  // kill(-1) below must not reach beyond the sandbox.
  if (options.processes && getpid() != 1) usage("--processes is for process 1 of a process namespace");
}

static void forget_all(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

__attribute__((noreturn)) static void end_sandbox(void) {
  end_all(options.processes, forget_all);
  _exit(0);
}

static void report(const struct launcher_report *report, int descriptor) {
  struct iovec part = {.iov_base = (void *)report, .iov_len = sizeof *report};
  char space[CMSG_SPACE(sizeof descriptor)] = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof descriptor)};
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (sendmsg(options.control, &message, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) end_sandbox();
    return;
  }
}

static void signal_all(int number) {
  if (options.processes) {
    kill(-1, number);
    return;
  }
  for (int index = 0; index < PROGRAMS_MAX; index++)
    if (programs[index].process > 0) kill(-programs[index].process, number);
}

static void reap(void);

static void obey(const struct launcher_request *request, const int descriptors[3]) {
  struct program *program;
  struct launcher_report answer = {0};
  switch (request->kind) {
    case LAUNCHER_LAUNCH:
      launch(request, options.tasks_max, descriptors, &answer);
      report(&answer, -1);
      break;
    case LAUNCHER_SIGNAL:
      // In the table means not reaped yet, so that the id is still its own.
      program = program_with(request->program);
      if (program) kill(-program->process, request->value);
      break;
    case LAUNCHER_FREEZE:
      is_frozen = true;
      signal_all(SIGSTOP);
      break;
    case LAUNCHER_THAW:
      is_frozen = false;
      signal_all(SIGCONT);
      break;
    case LAUNCHER_CLEAR:
      is_frozen = false;
      end_all(options.processes, reap);
      // What is held from here on is held by others.
      memory_peak = 0;
      break;
    case LAUNCHER_KILL: end_sandbox();
    default: break;
  }
}

// False if there is nothing more to be read now.
static bool take_request(void) {
  struct launcher_request request;
  struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
  char space[CMSG_SPACE(3 * sizeof(int))];
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  ssize_t length = recvmsg(options.control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (length <= 0) end_sandbox();
  int descriptors[3] = {-1, -1, -1};
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
      memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  }
  if (length == sizeof request) obey(&request, descriptors);
  for (int index = 0; index < 3; index++)
    if (descriptors[index] >= 0) close(descriptors[index]);
  return true;
}

static struct program *program_of(pid_t process) {
  for (int index = 0; index < PROGRAMS_MAX; index++)
    if (programs[index].process == process) return &programs[index];
  return NULL;
}

static void reap(void) {
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    struct program *program = program_of(ended.si_pid);
    // What a program leaves behind in its group goes with it. Before the reaping: as long as the leader is a zombie,
    // the kernel gives its id to nobody else.
    if (program) kill(-ended.si_pid, SIGKILL);
    int status = 0;
    struct rusage used;
    if (wait4(ended.si_pid, &status, WNOHANG, &used) != ended.si_pid || !program) continue;
    struct launcher_report end = {.kind = LAUNCHER_ENDED, .program = program->number, .value = status};
    long long seconds = used.ru_utime.tv_sec + used.ru_stime.tv_sec;
    long long microseconds = used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    end.processor_nanoseconds = seconds * 1000000000 + microseconds * 1000;
    end.memory_bytes = used.ru_maxrss * 1024LL;
    program->process = 0;
    report(&end, -1);
  }
}

// Looks at what all processes hold together. The cheap sum counts shared pages twice and so is never too small; only
// where it is over the limit is it worth the exact one.
static void sample_memory(void) {
  long long bytes = memory_of_all(options.processes, false);
  if (bytes > options.memory_bytes) bytes = memory_of_all(options.processes, true);
  bool is_over = bytes > options.memory_bytes;
  if (bytes <= memory_peak) return;
  memory_peak = bytes;
  struct launcher_report told = {.kind = LAUNCHER_MEMORY, .value = is_over, .memory_bytes = bytes};
  report(&told, -1);
  if (is_over) end_sandbox();
}

static bool has_programs(void) {
  for (int index = 0; index < PROGRAMS_MAX; index++)
    if (programs[index].process) return true;
  return false;
}

static void serve(int children) {
  struct pollfd sources[2] = {{.fd = options.control, .events = POLLIN}, {.fd = children, .events = POLLIN}};
  for (;;) {
    bool samples = options.memory_bytes > 0 && !is_frozen && has_programs();
    int count = poll(sources, 2, samples ? SAMPLE_MILLISECONDS : -1);
    if (count < 0) continue;
    if (sources[1].revents) {
      struct signalfd_siginfo information;
      while (read(children, &information, sizeof information) == sizeof information) {
      }
      reap();
    }
    if (sources[0].revents & POLLIN) {
      while (take_request()) {
      }
    } else if (sources[0].revents) {
      end_sandbox();
    }
    if (samples) sample_memory();
  }
}

// A standard number that is closed would be given to the next file that is opened, and its reader or writer would not know.
static void open_standard(void) {
  for (int number = 0; number <= 2; number++)
    if (fcntl(number, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0) _exit(126);
}

int main(int argc, char **argv) {
  open_standard();
  parse(argc, argv);
  // What the host has not marked to be closed would stay open for as long as the sandbox lives: connections of its
  // callers, for one, which would not see their end.
  if (options.control > 3) close_between(3, (unsigned)options.control - 1);
  close_between((unsigned)(options.control < 3 ? 2 : options.control) + 1, ~0U);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  signal(SIGPIPE, SIG_IGN);
  int children = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
  fcntl(options.control, F_SETFD, FD_CLOEXEC);
  // Without a process namespace, this process must outlive its host for as long as it takes to end what is below it: it
  // sees the end of the host at the socket.
  if (options.processes) prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (children < 0 || setpgid(0, 0) != 0 || chdir("/") != 0) usage(strerror(errno));
  struct launcher_report ready = {.kind = LAUNCHER_READY};
  int storage = -1;
  ready.value = set_up(&options, &storage, ready.text, sizeof ready.text);
  if (options.user) keep_rights_to_oneself();
  if (!(ready.value & LAUNCHER_PART_TASKS)) options.tasks_max = 0;
  remember_inherited();
  report(&ready, storage);
  if (storage >= 0) close(storage);
  serve(children);
}
