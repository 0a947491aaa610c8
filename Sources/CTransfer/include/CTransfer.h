// One HTTP request at a time over libcurl, http or https. libcurl is opened when it is first needed, because it and the
// thirty libraries that it brings make every start slower, and most commands ask nobody outside.
#ifndef CTRANSFER_H
#define CTRANSFER_H

#include <stddef.h>
#include <stdint.h>

// Connections that are kept for the next request. Used by one thread at a time.
typedef struct ctransfer ctransfer;

typedef enum {
  CTRANSFER_DONE = 0,
  CTRANSFER_NO_LIBRARY,     // libcurl is not installed, or too old
  CTRANSFER_NO_CONNECTION,  // no address, refused, or no connection in time
  CTRANSFER_NO_TRUST,       // TLS failed
  CTRANSFER_TIMED_OUT,      // connected, and no whole answer in time
  CTRANSFER_CLOSED,         // connected, and closed without an answer
  CTRANSFER_MALFORMED,      // what came is no answer, or breaks off
  CTRANSFER_TOO_LARGE,      // the answer is over its limit
  CTRANSFER_CANCELLED,
  CTRANSFER_FAILED,         // anything else
} ctransfer_outcome;

typedef struct {
  const char *method;
  const char *url;
  // A line "Name: value\n" for each.
  const char *headers;
  const void *body;
  size_t body_count;
  // From the start of the connection to the last byte of the answer.
  long timeout_milliseconds;
  long connect_milliseconds;
  // A file with the authorities to trust, or NULL for the system's.
  const char *certificates;
  // 0: straight to the server, whatever proxies the environment names.
  int uses_proxy;
  size_t body_limit;
  size_t header_limit;
  // Not 0: the request ends at the next opportunity, within about a second. May be set by another thread.
  const int *cancelled;
} ctransfer_request;

typedef struct {
  long status;
  // The lines of the last answer's head, without the first one, each ended by CR LF.
  uint8_t *headers;
  size_t header_count;
  uint8_t *body;
  size_t body_count;
  // What went wrong, in libcurl's words or the system's.
  char sentence[256];
} ctransfer_result;

// NULL if there is no libcurl, or no memory.
ctransfer *ctransfer_new(void);
void ctransfer_free(ctransfer *transfer);

// Waits for the whole answer. `result` is to be given to ctransfer_result_free afterwards, whatever the outcome.
ctransfer_outcome ctransfer_perform(ctransfer *transfer, const ctransfer_request *request, ctransfer_result *result);
void ctransfer_result_free(ctransfer_result *result);

// Sets a request's flag `cancelled`.
void ctransfer_cancel(int *cancelled);

// The version of libcurl that is used, or NULL if there is none. Opens it.
const char *ctransfer_version(void);

#endif
