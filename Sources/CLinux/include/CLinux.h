// Linux calls that Swift's Glibc module hides behind feature-test macros, and what must be written in C around them.
// Every function that returns -1 has set errno.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "LauncherProtocol.h"

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

/// Starts kelvin-launcher without copying anything of this process: the child borrows its memory until it executes `path`.
/// Descriptor 3 is `control`, the standard streams are /dev/null, the environment is empty, every signal is blocked.
/// With `has_own_processes` it is process 1 of a process namespace. With `has_own_user` it is in a user namespace of its own, as the
/// same user as this process, with all rights over what else it makes a namespace of. *pidfd polls readable when it has ended. 0 or an errno.
int clinux_spawn_launcher(
    const char *_Nonnull path, char *_Nullable const *_Nonnull arguments, int control, int has_own_processes,
    int has_own_user, pid_t *_Nonnull pid, int *_Nonnull pidfd);

/// A SOCK_SEQPACKET pair, both ends close-on-exec, ours non-blocking. 0 or -1.
int clinux_control_socket(int *_Nonnull ours, int *_Nonnull theirs);

/// Sends a request and at most three descriptors. 0 or -1; never blocks.
int clinux_send_request(
    int control, const struct launcher_request *_Nonnull request, const int *_Nonnull descriptors, int count);

/// 1: a report, with the descriptor that came with it or -1; 0: there is none now; -1: there will be none any more.
int clinux_receive_report(int control, struct launcher_report *_Nonnull report, int *_Nonnull descriptor);

/// A file in memory with these bytes, close-on-exec, or -1.
int clinux_block(const void *_Nonnull bytes, size_t count);

/// What is in use of the file system that a descriptor belongs to, in bytes, or -1.
int64_t clinux_used_bytes(int descriptor);

/// VmHWM of a process in bytes, or -1. One open, read and close of /proc/PID/status into a buffer on the stack.
int64_t clinux_memory_high_water(pid_t pid);

/// Fills `bytes` with random ones of the kernel: all of them, as long as they are no more than 256. Their number, or -1.
ssize_t clinux_random(void *_Nonnull bytes, size_t count);

/// Makes a mapping of a file safe against a file that is cut, or a disk that does not give a page: in place of ending the process, the page is
/// replaced by an empty one of memory. A number for the two calls below, or -1 if there are too many mappings already.
int clinux_guard_mapping(void *_Nonnull address, size_t size);

/// Whether a page of it was replaced, so that the file lacks what was written since.
int clinux_is_mapping_broken(int guard);

/// Ends the guard, before the memory is unmapped.
void clinux_release_mapping(int guard);

/// Raises this process's limit of open files to the most it may have. 0 or -1.
int clinux_raise_open_files_limit(void);

/// How many files this process may have open, at most INT32_MAX; -1 if the system does not tell.
int64_t clinux_open_files_limit(void);

/// Looks up the socket that is bound to `own` and connected to `peer`, by sock_diag(7): no more work with many sockets than
/// with few. The number by which /proc/PID/fd names it; 0: there is none, or no process has it open any more; -1: the kernel does
/// not tell, or these are not addresses of IPv4.
int64_t clinux_tcp_socket(const struct sockaddr *_Nonnull own, const struct sockaddr *_Nonnull peer);

/// Whether a process below `root` has a socket open, by /proc. 1: one has; 0: none has; -1: some could not be looked at.
int clinux_tree_has_socket(pid_t root, uint32_t inode);

/// Opens the folder `name` of the folder `parent` for reading, close-on-exec: no link is followed, and no mount is entered. A
/// descriptor, or -1 (ELOOP or ENOTDIR: it is something else; EXDEV: something is mounted there).
int clinux_open_folder(int parent, const char *_Nonnull name);

/// Moves an entry from one folder into another under a name that nothing has there. 0 or -1 (EEXIST: something has it).
int clinux_move(int from, const char *_Nonnull name, int to, const char *_Nonnull fresh);

/// Lets its owner do everything with the folder `name` of `parent`; follows no link. 0 or -1.
int clinux_make_accessible(int parent, const char *_Nonnull name);

/// Takes the lock (flock(2), exclusive) of what `descriptor` was opened on; the kernel gives it up with the descriptor. 0, or -1
/// if somebody else holds it (EWOULDBLOCK). Never waits.
int clinux_lock(int descriptor);
