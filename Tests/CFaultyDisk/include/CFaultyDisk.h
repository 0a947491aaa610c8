// A disk for SQLite that fails at a chosen operation. Tests only.
#pragma once
#include <stdbool.h>

// What becomes of the chosen operation, and of those after it.
enum faulty_disk_kind {
  // It alone fails.
  FAULTY_DISK_ERROR = 0,
  // It alone fails for want of room, if it is one that needs room, and else like an error.
  FAULTY_DISK_FULL = 1,
  // The disk is gone from then on. Of a write, the first half was still written.
  FAULTY_DISK_GONE = 2,
  // The power fails: as before, and of what was not synchronised before it, each sector may be there or not.
  FAULTY_DISK_POWER = 3,
};

// Puts the disk before SQLite's own, for all databases that are opened from then on. Files are only watched below the prefix of
// faulty_disk_arm, all others go straight through. May be called again.
//
// Returns: 0, or an error code of SQLite's.
int faulty_disk_install(void);

// Counts the operations on files whose path begins with the prefix, from 1, and has the one with the given number fail. Reads, writes,
// synchronisations, truncations, openings and deletions count. A number of 0 only counts.
void faulty_disk_arm(const char *prefix, enum faulty_disk_kind kind, long number);

// Ends what faulty_disk_arm began. All connections to the files have to be closed.
//
// After a loss of power, the content of each sector is set back to what it was at some moment since the last synchronisation of its file,
// chosen by the seed.
//
// Returns: how many operations were counted.
long faulty_disk_disarm(unsigned long long seed);
