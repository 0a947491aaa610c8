// What the function host and kelvin-launcher say to each other, over a SOCK_SEQPACKET socket: one message is one structure.
// Both are built together and run on one machine, so that the structures are as the compiler lays them out.
#pragma once

#include <stdint.h>

/// What the host asks of a sandbox.
enum launcher_request_kind {
  /// Start a program. Comes with three descriptors: the block of texts, and the program's stdout and stderr.
  LAUNCHER_LAUNCH = 1,
  /// Send the signal `value` to a program and its process group.
  LAUNCHER_SIGNAL = 2,
  /// Stop every process.
  LAUNCHER_FREEZE = 3,
  /// Let every process go on.
  LAUNCHER_THAW = 4,
  /// End every process, then the launcher.
  LAUNCHER_KILL = 5,
  /// End every process, and go on: /tmp and its files stay for programs that are started later. The end of
  /// each program is reported as if it had been signaled.
  LAUNCHER_CLEAR = 6,
};

/// A request of the host.
struct launcher_request {
  uint32_t kind;
  /// The host's number of the program.
  uint32_t program;
  int32_t value;
  /// Of a launch: the limit of open files of each process, soft and hard.
  uint32_t open_files;
  /// Of a launch: the block holds the directory, then this many arguments, then the environment; each text ends with
  /// a zero byte.
  uint32_t arguments_count;
  uint32_t environment_count;
  uint64_t block_bytes;
};

/// What a sandbox tells the host.
enum launcher_report_kind {
  /// The sandbox is set up; `value` has the bits of `launcher_part` that succeeded. Comes with a descriptor of /tmp if
  /// that is a file system of its own. `text` says why something failed.
  LAUNCHER_READY = 1,
  /// A program runs; `process` is its id as the launcher sees it.
  LAUNCHER_STARTED = 2,
  /// A program could not be started; `value` is a `launcher_failure`, `text` a sentence.
  LAUNCHER_FAILED = 3,
  /// A program has ended; `value` is its status as of wait(2).
  LAUNCHER_ENDED = 4,
  /// `memory_bytes` is the most that all processes held together; `value` is 1 if that is over the limit.
  LAUNCHER_MEMORY = 5,
};

/// The parts of a sandbox that a kernel may allow or not.
enum launcher_part {
  LAUNCHER_PART_GROUP = 1,
  LAUNCHER_PART_PROCESSES = 2,
  LAUNCHER_PART_MOUNTS = 4,
  LAUNCHER_PART_STORAGE = 8,
  LAUNCHER_PART_MESSAGES = 16,
  /// The number of processes and threads is limited without a control group.
  LAUNCHER_PART_TASKS = 32,
  LAUNCHER_PART_LAYERS = 64,
};

/// Why a program could not be started.
enum launcher_failure {
  LAUNCHER_FAILURE_ITSELF = 'l',
  LAUNCHER_FAILURE_DIRECTORY = 'd',
  LAUNCHER_FAILURE_NOT_FOUND = 'n',
  LAUNCHER_FAILURE_NOT_EXECUTABLE = 'x',
  LAUNCHER_FAILURE_TOO_LARGE = 'b',
};

/// A report to the host.
struct launcher_report {
  uint32_t kind;
  uint32_t program;
  int32_t value;
  int32_t process;
  int64_t processor_nanoseconds;
  int64_t memory_bytes;
  char text[1024];
};
