#ifndef C_ALLOCATION_COUNTER_H
#define C_ALLOCATION_COUNTER_H

#include <stdint.h>

/// How many blocks of memory the process has asked for so far, from any thread. Growing a block counts as one.
uint64_t allocation_count(void);

/// The resident memory of this process in bytes, after free memory was given back to the system; 0 if it cannot be read.
uint64_t resident_bytes(void);

#endif
