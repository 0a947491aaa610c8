// Linux calls that Swift's Glibc module hides behind feature-test macros, and what must be written in C around them.
// Every function that returns -1 has set errno.
#pragma once

#include <stdint.h>
#include <sys/types.h>

/// pidfd_open(2). A descriptor that polls readable when the child `pid` ends, or -1.
int clinux_pidfd_open(pid_t pid);

/// eventfd(2), close-on-exec and non-blocking, or -1.
int clinux_eventfd(void);

/// epoll_create1(2), close-on-exec, or -1.
int clinux_epoll_create(void);

/// Watches `descriptor` for reading, level-triggered. 0 or -1.
int clinux_epoll_add(int epoll, int descriptor, uint64_t token);

/// Waits for at most `milliseconds` (-1: for ever) and writes the tokens of what is readable or closed. The number of
/// them; 0 also after a signal; or -1.
int clinux_epoll_wait(int epoll, uint64_t *_Nonnull tokens, int capacity, int milliseconds);

/// A pipe, both ends close-on-exec, the reading end non-blocking. 0 or -1.
int clinux_pipe(int *_Nonnull reader, int *_Nonnull writer);

/// posix_spawn(3) of `path` as leader of its own process group, with default signals, stdin from /dev/null, and the
/// given descriptors as stdout, stderr and descriptor 3. 0 or an errno.
int clinux_spawn(
    const char *_Nonnull path, char *_Nullable const *_Nonnull arguments, char *_Nullable const *_Nonnull environment,
    int output, int error, int status, pid_t *_Nonnull pid);

/// VmHWM of a process in bytes, or -1. One open, read and close of /proc/PID/status into a buffer on the stack.
int64_t clinux_memory_high_water(pid_t pid);

/// Raises this process's limit of open files to the most it may have. 0 or -1.
int clinux_raise_open_files_limit(void);
