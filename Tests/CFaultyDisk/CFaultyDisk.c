#include "CFaultyDisk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512 };

// What a write or a truncation replaced, in the order of the operations.
struct change {
  struct change *before;
  char *path;
  off_t offset;
  size_t length;       // of the bytes that were there
  off_t size;          // of the file before
  unsigned char bytes[];
};

static struct {
  pthread_mutex_t lock;
  char *prefix;
  enum faulty_disk_kind kind;
  long number, count;
  bool is_gone;
  struct change *last;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct watched_file {
  sqlite3_file base;
  char *path;
  sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;
static sqlite3_io_methods methods;

enum outcome { GOES_ON, FAILS, FAILS_FULL };

static enum outcome outcome_locked(bool needs_room) {
  disk.count += 1;
  if (disk.is_gone) return FAILS;
  if (disk.count != disk.number) return GOES_ON;
  if (disk.kind == FAULTY_DISK_GONE || disk.kind == FAULTY_DISK_POWER) disk.is_gone = true;
  return disk.kind == FAULTY_DISK_FULL && needs_room ? FAILS_FULL : FAILS;
}

static enum outcome outcome(bool needs_room) {
  pthread_mutex_lock(&disk.lock);
  enum outcome result = outcome_locked(needs_room);
  pthread_mutex_unlock(&disk.lock);
  return result;
}

static bool is_watched(const char *path) {
  pthread_mutex_lock(&disk.lock);
  bool result = path && disk.prefix && strncmp(path, disk.prefix, strlen(disk.prefix)) == 0;
  pthread_mutex_unlock(&disk.lock);
  return result;
}

static void forget_all(const char *path) {
  pthread_mutex_lock(&disk.lock);
  for (struct change **link = &disk.last; *link;) {
    struct change *change = *link;
    if (path && strcmp(change->path, path) != 0) {
      link = &change->before;
      continue;
    }
    *link = change->before;
    free(change->path);
    free(change);
  }
  pthread_mutex_unlock(&disk.lock);
}

// Files

static struct watched_file *watched(sqlite3_file *file) { return (struct watched_file *)file; }

static sqlite3_file *real(sqlite3_file *file) { return watched(file)->real; }

// Keeps what is at a place before it is replaced; what is behind the end of the file counts as zeros.
static void remember(struct watched_file *file, sqlite3_int64 offset, size_t length) {
  sqlite3_int64 size = 0;
  if (file->real->pMethods->xFileSize(file->real, &size) != SQLITE_OK) abort();
  struct change *change = calloc(1, sizeof *change + length);
  int code = length ? file->real->pMethods->xRead(file->real, change->bytes, (int)length, offset) : SQLITE_OK;
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) abort();
  change->path = strdup(file->path);
  change->offset = offset;
  change->length = length;
  change->size = size;
  pthread_mutex_lock(&disk.lock);
  change->before = disk.last;
  disk.last = change;
  pthread_mutex_unlock(&disk.lock);
}

static int file_close(sqlite3_file *file) {
  int code = real(file)->pMethods->xClose(real(file));
  free(watched(file)->real);
  free(watched(file)->path);
  return code;
}

static int file_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
  if (outcome(false) != GOES_ON) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), bytes, length, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
  pthread_mutex_lock(&disk.lock);
  bool was_gone = disk.is_gone;
  enum outcome result = outcome_locked(true);
  bool is_torn = !was_gone && disk.is_gone;
  bool keeps = disk.kind == FAULTY_DISK_POWER;
  pthread_mutex_unlock(&disk.lock);
  if (is_torn) length /= 2;
  if (result == GOES_ON || is_torn) {
    if (keeps) remember(watched(file), offset, (size_t)length);
    int code = real(file)->pMethods->xWrite(real(file), bytes, length, offset);
    if (code != SQLITE_OK) return code;
  }
  return result == GOES_ON ? SQLITE_OK : result == FAILS_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (outcome(false) != GOES_ON) return SQLITE_IOERR_TRUNCATE;
  sqlite3_int64 before = 0;
  if (file_size(file, &before) != SQLITE_OK) abort();
  if (before > size) remember(watched(file), size, (size_t)(before - size));
  return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
  (void)flags;
  // Nothing is lost but here, so the real disk need not be waited for.
  if (outcome(false) != GOES_ON) return SQLITE_IOERR_FSYNC;
  forget_all(watched(file)->path);
  return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }

static int file_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }

static int file_check_lock(sqlite3_file *file, int *result) {
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }

static int file_characteristics(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

static int file_shm_map(sqlite3_file *file, int page, int size, int extends, void volatile **memory) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extends, memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int file_shm_unmap(sqlite3_file *file, int deletes) {
  return real(file)->pMethods->xShmUnmap(real(file), deletes);
}

// Version 2: without memory maps, whose writes nobody sees.
static sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_check_lock,
    file_control, file_sector, file_characteristics, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap,
};

// The file system

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  if (!is_watched(path)) return real_vfs->xOpen(real_vfs, path, file, flags, out);
  file->pMethods = NULL;
  if (outcome(true) != GOES_ON) return SQLITE_CANTOPEN;
  sqlite3_file *inner = calloc(1, (size_t)real_vfs->szOsFile);
  int code = real_vfs->xOpen(real_vfs, path, inner, flags, out);
  if (code != SQLITE_OK) {
    if (inner->pMethods) inner->pMethods->xClose(inner);
    free(inner);
    return code;
  }
  watched(file)->path = strdup(path);
  watched(file)->real = inner;
  file->pMethods = &methods;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int synchronises) {
  (void)vfs;
  if (is_watched(path)) {
    if (outcome(false) != GOES_ON) return SQLITE_IOERR_DELETE;
    forget_all(path);
  }
  return real_vfs->xDelete(real_vfs, path, synchronises);
}

int faulty_disk_install(void) {
  pthread_mutex_lock(&disk.lock);
  int code = SQLITE_OK;
  if (!real_vfs) {
    real_vfs = sqlite3_vfs_find(NULL);
    // All that does not touch a file's content is the real one's; it finds its own data through pAppData.
    faulty_vfs = *real_vfs;
    faulty_vfs.pNext = NULL;
    faulty_vfs.zName = "faulty-disk";
    if (faulty_vfs.szOsFile < (int)sizeof(struct watched_file)) faulty_vfs.szOsFile = sizeof(struct watched_file);
    faulty_vfs.xOpen = vfs_open;
    faulty_vfs.xDelete = vfs_delete;
    code = sqlite3_vfs_register(&faulty_vfs, 1);
  }
  pthread_mutex_unlock(&disk.lock);
  return code;
}

void faulty_disk_arm(const char *prefix, enum faulty_disk_kind kind, long number) {
  pthread_mutex_lock(&disk.lock);
  if (disk.prefix) abort();
  disk.prefix = strdup(prefix);
  disk.kind = kind;
  disk.number = number;
  disk.count = 0;
  disk.is_gone = false;
  pthread_mutex_unlock(&disk.lock);
}

static unsigned long long mixed(unsigned long long value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

static unsigned long long hash(const char *path) {
  unsigned long long value = 14695981039346656037ULL;
  for (; *path; path++) value = (value ^ (unsigned char)*path) * 1099511628211ULL;
  return value;
}

// How many of the changes to a part of a file were on the disk.
static long kept(unsigned long long seed, const char *path, unsigned long long part, long count) {
  return (long)(mixed(mixed(seed ^ hash(path)) + part) % (unsigned long long)(count + 1));
}

static void lose_bytes(const struct change *change, int descriptor, unsigned long long seed, long moment, long count) {
  for (size_t done = 0; done < change->length;) {
    off_t offset = change->offset + (off_t)done;
    size_t part = SECTOR - (size_t)(offset % SECTOR);
    if (part > change->length - done) part = change->length - done;
    if (moment > kept(seed, change->path, (unsigned long long)(offset / SECTOR), count)
        && pwrite(descriptor, change->bytes + done, part, offset) != (ssize_t)part) {
      abort();
    }
    done += part;
  }
}

// Sets sectors and the ends of files back, each to a moment of its own since the last synchronisation.
static void lose(unsigned long long seed) {
  long count = 0;
  for (struct change *change = disk.last; change; change = change->before) count += 1;
  // The newest first: each is undone down to its moment and no further.
  long moment = count;
  for (struct change *change = disk.last; change; change = change->before, moment -= 1) {
    int descriptor = open(change->path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) continue;  // It was deleted.
    struct stat status;
    if (fstat(descriptor, &status) != 0) abort();
    lose_bytes(change, descriptor, seed, moment, count);
    bool is_longer = moment <= kept(seed, change->path, ~0ULL, count);
    if (ftruncate(descriptor, is_longer ? status.st_size : change->size) != 0) abort();
    close(descriptor);
  }
}

long faulty_disk_disarm(unsigned long long seed) {
  if (disk.kind == FAULTY_DISK_POWER && disk.is_gone) lose(seed);
  forget_all(NULL);
  pthread_mutex_lock(&disk.lock);
  long count = disk.count;
  free(disk.prefix);
  disk.prefix = NULL;
  pthread_mutex_unlock(&disk.lock);
  return count;
}
