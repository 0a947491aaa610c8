// kelvin-launcher, the init of a sandbox; see main.c.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../CLinux/include/LauncherProtocol.h"

enum { PATHS_MAX = 64, PROGRAMS_MAX = 64, LAYERS_MAX = 8 };

// What the host asks for on the command line.
struct options {
  int control;
  const char *groups[4];  // Control groups to join.
  int groups_count;
  bool processes;  // This is process 1 of a process namespace of its own.
  bool user;  // It is in a user namespace of its own.
  bool mounts;
  bool messages;  // An IPC namespace, and a /dev/shm of its own.
  long long storage_bytes;  // Of /tmp; 0: the host's.
  long long shared_bytes;  // Of /dev/shm.
  long long tasks_max;  // How many processes and threads there may be, without this one; 0: that is not limited here.
  const char *kept[PATHS_MAX];  // What of the host's /tmp stays visible.
  int kept_count;
  const char *layers[LAYERS_MAX];  // What is seen at /opt, a later one over an earlier one.
  int layers_count;
  long long memory_bytes;  // The limit that is watched by sampling; 0: it is not.
};

// setup.c: surrounds the sandbox. Returns the parts that are there; `error` says why one is not. *storage is a descriptor
// of the new /tmp, or -1.
int set_up(const struct options *options, int *storage, char *error, size_t error_size);

// Gives up what would hand rights in the user namespace on to programs.
void keep_rights_to_oneself(void);

// program.c
struct program {
  unsigned number;  // The host's.
  pid_t process;    // Leads its group; 0: a free place.
};
extern struct program programs[PROGRAMS_MAX];
// `tasks_max`: as in the options, 0 if it cannot be kept.
void launch(const struct launcher_request *request, long long tasks_max, const int descriptors[3], struct launcher_report *report);
struct program *program_with(unsigned number);
// Closes the descriptors from `first` to `last`.
void close_between(unsigned first, unsigned last);
void remember_inherited(void);

// memory.c: the memory of all processes of the sandbox, in bytes. `exact` costs more and counts shared pages once.
long long memory_of_all(bool has_own_processes, bool exact);
// tree.c
// Calls `each` with the id of every process below this one, until it returns false.
void each_process(bool has_own_processes, bool (*each)(pid_t process, void *context), void *context);
// Ends every process below this one, and returns when none is left. `reap_all` takes the ends of those that have ended.
void end_all(bool has_own_processes, void (*reap_all)(void));
