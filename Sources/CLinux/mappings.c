#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A store to a mapped page of a file that was cut raises SIGBUS, which ends the process. journald has the same problem and the same
// answer: the handler puts a page of memory there, and whoever wrote looks afterwards whether that happened.

enum { capacity = 1024 };

struct guard {
  _Atomic(uintptr_t) address;  // 0: free.
  _Atomic(size_t) size;
  atomic_int is_broken;
};

static struct guard guards[capacity];
static long page_size;
static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void handle(int number, siginfo_t *information, void *context) {
  uintptr_t fault = (uintptr_t)information->si_addr;
  for (int index = 0; index < capacity; index++) {
    uintptr_t address = atomic_load(&guards[index].address);
    if (address == 0 || fault < address || fault - address >= atomic_load(&guards[index].size)) continue;
    uintptr_t page = fault & ~(uintptr_t)(page_size - 1);
    void *mapped = mmap(
        (void *)page, (size_t)page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (mapped == MAP_FAILED) break;
    atomic_store(&guards[index].is_broken, 1);
    return;
  }
  // Not ours: as if there were no guard. The instruction is tried again, and whoever was there before is asked.
  sigaction(number, &previous, NULL);
  (void)context;
}

static void install(void) {
  page_size = sysconf(_SC_PAGESIZE);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

int clinux_guard_mapping(void *address, size_t size) {
  pthread_once(&once, install);
  for (int index = 0; index < capacity; index++) {
    uintptr_t none = 0;
    // 1 is no address of a mapping: the slot is taken before its size is there.
    if (!atomic_compare_exchange_strong(&guards[index].address, &none, 1)) continue;
    atomic_store(&guards[index].is_broken, 0);
    atomic_store(&guards[index].size, size);
    atomic_store(&guards[index].address, (uintptr_t)address);
    return index;
  }
  return -1;
}

int clinux_is_mapping_broken(int guard) { return guard >= 0 && atomic_load(&guards[guard].is_broken); }

void clinux_release_mapping(int guard) {
  if (guard < 0) return;
  atomic_store(&guards[guard].size, 0);
  atomic_store(&guards[guard].address, 0);
}
