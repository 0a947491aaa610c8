#include "CTransfer.h"

// The older form of an option is taken by every libcurl that there is.
#define CURL_DISABLE_DEPRECATION 1
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// What is used of libcurl.
static struct {
  void *library;
  CURLcode (*global_init)(long);
  curl_version_info_data *(*version_info)(CURLversion);
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_perform)(CURL *);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  void (*easy_reset)(CURL *);
  void (*easy_cleanup)(CURL *);
  const char *(*easy_strerror)(CURLcode);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
} curl;

static int is_loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int find(void *function, const char *name) {
  void *found = dlsym(curl.library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static void load(void) {
  // The soname has been this since 2006; Debian's second name is that of its GnuTLS flavour.
  curl.library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!curl.library) curl.library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!curl.library) return;
  is_loaded = find(&curl.global_init, "curl_global_init") && find(&curl.version_info, "curl_version_info") &&
              find(&curl.easy_init, "curl_easy_init") && find(&curl.easy_setopt, "curl_easy_setopt") &&
              find(&curl.easy_perform, "curl_easy_perform") && find(&curl.easy_getinfo, "curl_easy_getinfo") &&
              find(&curl.easy_reset, "curl_easy_reset") && find(&curl.easy_cleanup, "curl_easy_cleanup") &&
              find(&curl.easy_strerror, "curl_easy_strerror") && find(&curl.slist_append, "curl_slist_append") &&
              find(&curl.slist_free_all, "curl_slist_free_all") && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static int loaded(void) {
  pthread_once(&once, load);
  return is_loaded;
}

const char *ctransfer_version(void) {
  return loaded() ? curl.version_info(CURLVERSION_NOW)->version : NULL;
}

void ctransfer_cancel(int *cancelled) { __atomic_store_n(cancelled, 1, __ATOMIC_RELAXED); }

struct ctransfer {
  CURL *handle;
};

ctransfer *ctransfer_new(void) {
  if (!loaded()) return NULL;
  ctransfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->handle = curl.easy_init();
  if (!transfer->handle) {
    free(transfer);
    return NULL;
  }
  return transfer;
}

void ctransfer_free(ctransfer *transfer) {
  if (!transfer) return;
  curl.easy_cleanup(transfer->handle);
  free(transfer);
}

void ctransfer_result_free(ctransfer_result *result) {
  free(result->headers);
  free(result->body);
  result->headers = result->body = NULL;
  result->header_count = result->body_count = 0;
}

// What the callbacks share.
typedef struct {
  const ctransfer_request *request;
  ctransfer_result *result;
  size_t headers_room, body_room;
  int is_too_large;
} progress;

static int append(uint8_t **bytes, size_t *count, size_t *room, const char *more, size_t more_count) {
  if (*count + more_count > *room) {
    size_t wanted = *room ? *room : 1024;
    while (wanted < *count + more_count) wanted *= 2;
    uint8_t *grown = realloc(*bytes, wanted);
    if (!grown) return 0;
    *bytes = grown;
    *room = wanted;
  }
  memcpy(*bytes + *count, more, more_count);
  *count += more_count;
  return 1;
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
  progress *progress = context;
  ctransfer_result *result = progress->result;
  size_t length = size * count;
  // The first line of an answer: what a proxy or an interim answer said before is not part of it.
  if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    result->header_count = 0;
    return length;
  }
  if (result->header_count + length > progress->request->header_limit) {
    progress->is_too_large = 1;
    return 0;
  }
  return append(&result->headers, &result->header_count, &progress->headers_room, line, length) ? length : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
  progress *progress = context;
  ctransfer_result *result = progress->result;
  size_t length = size * count;
  if (length > progress->request->body_limit - result->body_count) {
    progress->is_too_large = 1;
    return 0;
  }
  return append(&result->body, &result->body_count, &progress->body_room, bytes, length) ? length : 0;
}

static int look(void *context, curl_off_t to, curl_off_t in, curl_off_t up, curl_off_t out) {
  (void)to, (void)in, (void)up, (void)out;
  progress *progress = context;
  const int *cancelled = progress->request->cancelled;
  return cancelled && __atomic_load_n(cancelled, __ATOMIC_RELAXED) ? 1 : 0;
}

static ctransfer_outcome outcome_of(CURL *handle, CURLcode code, const progress *progress) {
  switch (code) {
    case CURLE_OK: return CTRANSFER_DONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return CTRANSFER_NO_CONNECTION;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER: return CTRANSFER_NO_TRUST;
    case CURLE_OPERATION_TIMEDOUT: {
      double seconds = 0;
      curl.easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME, &seconds);
      return seconds > 0 ? CTRANSFER_TIMED_OUT : CTRANSFER_NO_CONNECTION;
    }
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return CTRANSFER_CLOSED;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // An answer of HTTP/0.9 is told so.
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_PARTIAL_FILE: return CTRANSFER_MALFORMED;
    case CURLE_WRITE_ERROR: return progress->is_too_large ? CTRANSFER_TOO_LARGE : CTRANSFER_FAILED;
    case CURLE_ABORTED_BY_CALLBACK: return CTRANSFER_CANCELLED;
    default: return CTRANSFER_FAILED;
  }
}

static void tell(CURL *handle, CURLcode code, const char *said, ctransfer_result *result) {
  long number = 0;
  curl.easy_getinfo(handle, CURLINFO_OS_ERRNO, &number);
  const char *text = said;
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    text = "its name is not known";
  } else if (code == CURLE_COULDNT_CONNECT && number != 0) {
    text = number == ECONNREFUSED ? "nobody listens there" : strerror((int)number);
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    text = "the connection was not made in time";
  } else if (!*said) {
    text = curl.easy_strerror(code);
  }
  snprintf(result->sentence, sizeof result->sentence, "%s", text);
}

static int add(struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl.slist_append(*list, line);
  if (longer) *list = longer;
  return longer != NULL;
}

// The headers of a request; NULL if there is no memory.
static struct curl_slist *header_list(const ctransfer_request *request) {
  struct curl_slist *list = NULL;
  char *lines = strdup(request->headers);
  // Of itself libcurl would add these, which nobody asked for.
  int is_whole = lines && add(&list, "Expect:") && add(&list, "Accept:");
  int has_type = 0;
  char *rest = NULL;
  for (char *line = is_whole ? strtok_r(lines, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
    if (strncasecmp(line, "Content-Type:", 13) == 0) has_type = 1;
    is_whole = is_whole && add(&list, line);
  }
  if (!has_type) is_whole = is_whole && add(&list, "Content-Type:");
  free(lines);
  if (is_whole) return list;
  curl.slist_free_all(list);
  return NULL;
}

static int prepare(CURL *handle, const ctransfer_request *request, struct curl_slist *headers, progress *progress,
                   char *said) {
  int is_fine = 1;
#define SET(option, value) is_fine = curl.easy_setopt(handle, option, value) == CURLE_OK && is_fine
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_TIMEOUT_MS, request->timeout_milliseconds > 0 ? request->timeout_milliseconds : 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
  SET(CURLOPT_ERRORBUFFER, said);
  SET(CURLOPT_HEADERFUNCTION, take_header);
  SET(CURLOPT_HEADERDATA, progress);
  SET(CURLOPT_WRITEFUNCTION, take_body);
  SET(CURLOPT_WRITEDATA, progress);
  SET(CURLOPT_XFERINFOFUNCTION, look);
  SET(CURLOPT_XFERINFODATA, progress);
  SET(CURLOPT_NOPROGRESS, 0L);
  if (request->certificates) SET(CURLOPT_CAINFO, request->certificates);
  if (!request->uses_proxy) SET(CURLOPT_PROXY, "");
  int sends_body = strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 &&
                   (request->body_count > 0 || strcmp(request->method, "DELETE") != 0);
  if (sends_body) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_count);
    SET(CURLOPT_POSTFIELDS, request->body_count > 0 ? request->body : "");
  }
  if (strcmp(request->method, "HEAD") == 0) {
    SET(CURLOPT_NOBODY, 1L);
  } else {
    SET(CURLOPT_CUSTOMREQUEST, request->method);
  }
#undef SET
  return is_fine;
}

ctransfer_outcome ctransfer_perform(ctransfer *transfer, const ctransfer_request *request, ctransfer_result *result) {
  memset(result, 0, sizeof *result);
  CURL *handle = transfer->handle;
  progress progress = {.request = request, .result = result};
  char said[CURL_ERROR_SIZE] = "";
  struct curl_slist *headers = header_list(request);
  // Keeps its connections.
  curl.easy_reset(handle);
  CURLcode code = CURLE_OUT_OF_MEMORY;
  if (headers && prepare(handle, request, headers, &progress, said)) {
    code = curl.easy_perform(handle);
  } else {
    snprintf(said, sizeof said, "libcurl does not take the request");
    code = CURLE_FAILED_INIT;
  }
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &result->status);
  ctransfer_outcome outcome = outcome_of(handle, code, &progress);
  if (outcome != CTRANSFER_DONE) tell(handle, code, said, result);
  curl.easy_reset(handle);
  curl.slist_free_all(headers);
  return outcome;
}
