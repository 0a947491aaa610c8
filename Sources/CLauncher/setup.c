// What surrounds the programs of a sandbox: control groups, namespaces and mounts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "launcher.h"

static const char temporary[] = "/tmp";

// The first thing that went wrong is the one to tell.
__attribute__((format(printf, 3, 4))) static bool refused(char *error, size_t size, const char *format, ...) {
  int code = errno;
  if (*error) return false;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error, size, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length < size) snprintf(error + length, size - (size_t)length, ": %s.", strerror(code));
  return false;
}

static bool join(const char *group, char *error, size_t size) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/cgroup.procs", group);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  bool joined = file >= 0 && write(file, "0", 1) == 1;
  if (!joined) refused(error, size, "cannot join the control group %s", group);
  if (file >= 0) close(file);
  return joined;
}

// A folder or file of the host's /tmp that stays visible in the new one, held open while the new one is mounted over it.
struct kept {
  int descriptor;
  bool is_folder;
};

static struct kept hold(const char *path) {
  struct stat status;
  struct kept kept = {.descriptor = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW)};
  // Not there yet: then it is nothing that the function's program needs to start.
  if (kept.descriptor < 0) return kept;
  if (fstat(kept.descriptor, &status) != 0 || !(S_ISDIR(status.st_mode) || S_ISREG(status.st_mode))) {
    close(kept.descriptor);
    kept.descriptor = -1;
  }
  kept.is_folder = kept.descriptor >= 0 && S_ISDIR(status.st_mode);
  return kept;
}

static bool show(const char *path, struct kept kept, char *error, size_t size) {
  char source[64];
  if (kept.is_folder) {
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return refused(error, size, "cannot make %s", path);
  } else {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return refused(error, size, "cannot make %s", path);
    close(file);
  }
  snprintf(source, sizeof source, "/proc/self/fd/%d", kept.descriptor);
  if (mount(source, path, NULL, MS_BIND | MS_REC, NULL) != 0)
    return refused(error, size, "cannot show %s of the host", path);
  return true;
}

static bool mount_storage(const struct options *options, int *storage, char *error, size_t size) {
  struct kept kept[PATHS_MAX];
  for (int index = 0; index < options->kept_count; index++) kept[index] = hold(options->kept[index]);
  char how[64];
  snprintf(how, sizeof how, "mode=1777,size=%lld", options->storage_bytes);
  bool mounted = mount("kelvin", temporary, "tmpfs", MS_NOSUID | MS_NODEV, how) == 0;
  if (!mounted) refused(error, size, "cannot mount a file system of its own on %s", temporary);
  for (int index = 0; index < options->kept_count; index++) {
    if (kept[index].descriptor < 0) continue;
    if (mounted) mounted = show(options->kept[index], kept[index], error, size);
    close(kept[index].descriptor);
  }
  if (mounted) *storage = open(temporary, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return mounted && *storage >= 0;
}

static bool mount_shared(const struct options *options, char *error, size_t size) {
  struct stat status;
  if (stat("/dev/shm", &status) != 0) return true;
  char how[64];
  snprintf(how, sizeof how, "mode=1777,size=%lld", options->shared_bytes);
  if (mount("kelvin", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, how) == 0) return true;
  return refused(error, size, "cannot mount a file system of its own on /dev/shm");
}

static bool cover_opt(const int *layers, int count, char *error, size_t size) {
  static const char opt[] = "/opt";
  char text[LAYERS_MAX * 32 + 16];
  if (count == 1) {
    snprintf(text, sizeof text, "/proc/self/fd/%d", layers[0]);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (mount(text, opt, NULL, MS_BIND | MS_REC, NULL) != 0) return refused(error, size, "cannot show a layer at %s", opt);
    // Before Linux 5.12, only the whole set of flags can be changed.
    if (mount_setattr(AT_FDCWD, opt, 0, &attributes, sizeof attributes) == 0) return true;
    if (errno == ENOSYS && mount(NULL, opt, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0) return true;
    return refused(error, size, "cannot make %s read-only", opt);
  }
  // Named by their descriptors, because a path may have a colon or a comma in it.
  int length = snprintf(text, sizeof text, "lowerdir=");
  for (int index = count - 1; index >= 0; index--)
    length += snprintf(text + length, sizeof text - (size_t)length, "%s/proc/self/fd/%d", index == count - 1 ? "" : ":",
                       layers[index]);
  // Without a folder to write to, it is read-only by itself.
  if (mount("kelvin", opt, "overlay", MS_NODEV, text) == 0) return true;
  return refused(error, size, "cannot show %d layers at %s", count, opt);
}

static bool mount_layers(const struct options *options, char *error, size_t size) {
  int held[LAYERS_MAX];
  int count = 0;
  bool shown = true;
  for (; shown && count < options->layers_count; count++) {
    held[count] = open(options->layers[count], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (held[count] < 0) shown = refused(error, size, "cannot open the layer %s", options->layers[count]);
  }
  if (shown) shown = cover_opt(held, count, error, size);
  for (int index = 0; index < count; index++)
    if (held[index] >= 0) close(held[index]);
  return shown;
}

// A process namespace without a /proc of its own would show programs the ids of other processes.
static bool mount_processes(char *error, size_t size) {
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0) return true;
  return refused(error, size, "cannot mount /proc");
}

// The names by which AWS's telemetry means the instance itself, beside those that the machine has. A convenience: where it
// does not work the host still knows what they mean, and only a program that looks them up does not.
static void name_sandbox(void) {
  static const char names[] = "\n127.0.0.1 sandbox.localdomain sandbox\n";
  static const char path[] = "/tmp/hosts";
  char known[16384];
  int hosts = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
  if (hosts < 0) return;
  ssize_t count = read(hosts, known, sizeof known);
  close(hosts);
  if (count < 0 || (size_t)count == sizeof known) return;
  // On a file system of its own, so that it takes nothing of the instance's /tmp, over which that lies for a moment.
  if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0700") != 0) return;
  int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  bool written = file >= 0 && write(file, known, (size_t)count) == count &&
                 write(file, names, sizeof names - 1) == sizeof names - 1 && fchmod(file, 0644) == 0;
  if (file >= 0) close(file);
  // Bound, it lives on without its folder.
  if (written) (void)!mount(path, "/etc/hosts", NULL, MS_BIND, NULL);
  umount2("/tmp", MNT_DETACH);
}

// Since Linux 5.14, RLIMIT_NPROC counts a user's processes in each user namespace by themselves. Before, it counted all that the user
// has on the machine, which is nothing to limit an instance by; and it never holds for root.
static bool counts_tasks_here(const struct options *options) {
  struct utsname machine;
  int major = 0, minor = 0;
  if (!options->user || options->tasks_max <= 0 || geteuid() == 0 || uname(&machine) != 0) return false;
  return sscanf(machine.release, "%d.%d", &major, &minor) == 2 && (major > 5 || (major == 5 && minor >= 14));
}

// A namespace in the namespace would be a way around the sizes of /tmp and /dev/shm. AWS allows none either.
static void forbid_more_users(void) {
  int file = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
  // Refused: then what a function mounts for itself is memory that is counted with it.
  if (file < 0) return;
  ssize_t ignored = write(file, "0", 1);
  (void)ignored;
  close(file);
}

void keep_rights_to_oneself(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall(SYS_capget, &header, data) != 0) return;
  for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) data[index].inheritable = 0;
  syscall(SYS_capset, &header, data);
}

int set_up(const struct options *options, int *storage, char *error, size_t size) {
  int parts = 0;
  *storage = -1;
  if (options->groups_count > 0) {
    bool joined = true;
    for (int index = 0; index < options->groups_count; index++)
      joined = join(options->groups[index], error, size) && joined;
    if (joined) parts |= LAUNCHER_PART_GROUP;
  }
  if (counts_tasks_here(options)) parts |= LAUNCHER_PART_TASKS;
  if (!options->mounts) return parts;
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    refused(error, size, "mounts of its own are not allowed");
    return parts;
  }
  parts |= LAUNCHER_PART_MOUNTS;
  if (options->processes && mount_processes(error, size)) {
    parts |= LAUNCHER_PART_PROCESSES;
    if (options->user) forbid_more_users();
  }
  if (options->messages) {
    if (unshare(CLONE_NEWIPC) != 0)
      refused(error, size, "an IPC namespace is not allowed");
    else if (mount_shared(options, error, size))
      parts |= LAUNCHER_PART_MESSAGES;
  }
  // Before /tmp is covered, where a layer may lie.
  if (options->layers_count > 0 && mount_layers(options, error, size)) parts |= LAUNCHER_PART_LAYERS;
  if (options->storage_bytes > 0 && mount_storage(options, storage, error, size)) {
    parts |= LAUNCHER_PART_STORAGE;
    name_sandbox();
  }
  return parts;
}
