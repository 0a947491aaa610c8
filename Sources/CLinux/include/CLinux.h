// Linux calls that Swift's Glibc module hides behind feature-test macros.
#pragma once

#include <sys/types.h>

/// pidfd_open(2). Returns a file descriptor that polls readable when `pid` ends, or -1 with errno.
int clinux_pidfd_open(pid_t pid);
