#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_add(int epoll, int descriptor, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int clinux_epoll_wait(int epoll, uint64_t *tokens, int capacity, int milliseconds) {
  struct epoll_event events[64];
  int count = epoll_wait(epoll, events, capacity < 64 ? capacity : 64, milliseconds);
  if (count < 0) return errno == EINTR ? 0 : -1;
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count;
}

int clinux_pipe(int *reader, int *writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *reader = ends[0];
  *writer = ends[1];
  return 0;
}

// What a child needs to become the launcher. It shares this process's memory until then.
struct birth {
  const char *path;
  char *const *arguments;
  int control;
  int nothing;
  int error;
  int has_own_user;
  uid_t user;
  gid_t group;
};

static int write_text(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = (ssize_t)strlen(text);
  int result = write(file, text, (size_t)length) == length ? 0 : -1;
  int code = errno;
  close(file);
  errno = code;
  return result;
}

// In a new user namespace, makes this process the same user as before, and lets the launcher keep what rights it has there.
static int remain_same_user(const struct birth *birth) {
  char map[64];
  // From an ordinary user, the kernel takes a map of groups only if they cannot be given up any more.
  if (write_text("/proc/self/setgroups", "deny") != 0) return -1;
  snprintf(map, sizeof map, "%u %u 1", birth->user, birth->user);
  if (write_text("/proc/self/uid_map", map) != 0) return -1;
  snprintf(map, sizeof map, "%u %u 1", birth->group, birth->group);
  if (write_text("/proc/self/gid_map", map) != 0) return -1;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) data[index].inheritable = data[index].permitted;
  if (syscall(SYS_capset, &header, data) != 0) return -1;
  // execve(2) takes all others from everybody but root. The launcher gives its programs none of them.
  for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  return 0;
}

static int become_launcher(void *context) {
  struct birth *birth = context;
  char *const environment[] = {NULL};
  if (birth->has_own_user && remain_same_user(birth) != 0) {
    birth->error = errno;
    _exit(127);
  }
  for (int descriptor = 0; descriptor < 3; descriptor++) dup2(birth->nothing, descriptor);
  if (birth->control == 3)
    fcntl(3, F_SETFD, 0);
  else
    dup2(birth->control, 3);
  execve(birth->path, birth->arguments, environment);
  birth->error = errno;
  _exit(127);
}

int clinux_spawn_launcher(
    const char *path, char *const *arguments, int control, int has_own_processes, int has_own_user, pid_t *pid,
    int *pidfd) {
  static const size_t stack_bytes = 64 * 1024;
  struct birth birth = {
      .path = path, .arguments = arguments, .control = control, .has_own_user = has_own_user, .user = geteuid(),
      .group = getegid()};
  birth.nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (birth.nothing < 0) return errno;
  char *stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) {
    int code = errno;
    close(birth.nothing);
    return code;
  }
  // No handler of this process may run in the child, which shares its memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | (has_own_processes ? CLONE_NEWPID : 0) |
              (has_own_user ? CLONE_NEWUSER : 0);
  *pid = clone(become_launcher, stack + stack_bytes, flags, &birth, pidfd);
  int code = *pid < 0 ? errno : birth.error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, stack_bytes);
  close(birth.nothing);
  if (*pid > 0 && code != 0) {
    waitpid(*pid, NULL, 0);
    close(*pidfd);
  }
  return code;
}

int clinux_control_socket(int *ours, int *theirs) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *ours = ends[0];
  *theirs = ends[1];
  return 0;
}

int clinux_send_request(int control, const struct launcher_request *request, const int *descriptors, int count) {
  struct iovec part = {.iov_base = (void *)request, .iov_len = sizeof *request};
  char space[CMSG_SPACE(3 * sizeof(int))] = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, (size_t)count * sizeof(int));
  }
  for (;;) {
    if (sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 0;
    if (errno != EINTR) return -1;
  }
}

int clinux_receive_report(int control, struct launcher_report *report, int *descriptor) {
  struct iovec part = {.iov_base = report, .iov_len = sizeof *report};
  char space[CMSG_SPACE(sizeof(int))];
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  *descriptor = -1;
  ssize_t length = recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
  report->text[sizeof report->text - 1] = 0;
  return length == sizeof *report ? 1 : -1;
}

int clinux_block(const void *bytes, size_t count) {
  int file = memfd_create("kelvin-launch", MFD_CLOEXEC);
  if (file < 0) return -1;
  const char *next = bytes;
  while (count > 0) {
    ssize_t written = write(file, next, count);
    if (written <= 0) {
      if (written < 0 && errno == EINTR) continue;
      close(file);
      return -1;
    }
    next += written;
    count -= (size_t)written;
  }
  return file;
}

int64_t clinux_used_bytes(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
  return (int64_t)(status.f_blocks - status.f_bfree) * status.f_bsize;
}

int64_t clinux_memory_high_water(pid_t pid) {
  char text[4096];
  snprintf(text, sizeof text, "/proc/%d/status", (int)pid);
  int descriptor = open(text, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  ssize_t length = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  if (length <= 0) return -1;
  text[length] = 0;
  const char *line = strstr(text, "\nVmHWM:");
  return line ? strtoll(line + 7, NULL, 10) * 1024 : -1;
}

int64_t clinux_open_files_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

ssize_t clinux_random(void *bytes, size_t count) { return getrandom(bytes, count, 0); }

int clinux_raise_open_files_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit);
}

int clinux_open_folder(int parent, const char *name) {
  int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  struct open_how how = {
      .flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
  long folder = syscall(SYS_openat2, parent, name, &how, sizeof how);
  // Linux before 5.6, or a filter of system calls that does not know it. Then a mount of another file system is told by
  // its number.
  if (folder < 0 && (errno == ENOSYS || errno == EPERM)) {
    struct stat above, below;
    folder = openat(parent, name, flags);
    if (folder >= 0 && (fstat(parent, &above) != 0 || fstat((int)folder, &below) != 0 || above.st_dev != below.st_dev)) {
      close((int)folder);
      folder = -1;
      errno = EXDEV;
    }
  }
  return (int)folder;
}

int clinux_move(int from, const char *name, int to, const char *fresh) {
  return renameat2(from, name, to, fresh, RENAME_NOREPLACE);
}

int clinux_make_accessible(int parent, const char *name) {
  return fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW);
}

int clinux_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }
