// Asks a host over many connections at once, with as little work of its own as can be, and prints one line of JSON.
//
//   load --port PORT --connections N --requests N [--rate N] [--retry MILLISECONDS] [--target TARGET] [--body JSON]
//
// All connections are opened before the first request. Without --rate each of them sends its next request when it has an answer;
// with it, requests are due at equal distances, whatever became of those before, and a latency counts from when a request was
// due. With --retry a request that is answered 429 is sent again after so long. A function that answers {"own":N} tells what
// it took itself; the rest of a latency is `added`.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4096 };

struct connection {
  int descriptor;
  int is_busy;
  long long due;    // When its request was to be sent first; latencies count from here.
  long long retry;  // When it is sent again; 0: not.
  size_t filled;
  char buffer[BUFFER];
};

static struct connection *connections;
static int count, idle_count, *idle;
static long requests, sent, done, retries, errors, cold, statuses[600];
static long long retry_delay, *latencies, *added, handover_last, start_first, answered, added_count;
static char request[8192];
static size_t request_length;

static void give_up(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void send_request(struct connection *connection) {
  // A request is far smaller than a socket's buffer, which is empty.
  if (send(connection->descriptor, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) give_up("send");
}

static void begin(struct connection *connection, long long due) {
  connection->is_busy = 1;
  connection->due = due;
  sent++;
  send_request(connection);
}

static long long header(const char *buffer, const char *name) {
  const char *found = strcasestr(buffer, name);
  return found ? atoll(found + strlen(name)) : 0;
}

// Whether the buffer has a whole answer; notes what it says.
static int take_answer(struct connection *connection) {
  connection->buffer[connection->filled] = 0;
  char *end = strstr(connection->buffer, "\r\n\r\n");
  if (end == NULL) return 0;
  const char *length = strcasestr(connection->buffer, "\r\ncontent-length:");
  size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
  if (connection->filled < (size_t)(end + 4 - connection->buffer) + body) return 0;
  connection->filled = 0;
  int status = atoi(connection->buffer + 9);
  long long now = nanoseconds();
  if (status == 429 && retry_delay > 0) {
    retries++;
    connection->retry = now + retry_delay;
    return 1;
  }
  statuses[status >= 0 && status < 600 ? status : 0]++;
  if (strcasestr(connection->buffer, "x-amz-function-error")) errors++;
  if (status == 200) {
    const char *own = strstr(end, "\"own\":");
    latencies[answered++] = now - connection->due;
    if (own) added[added_count++] = now - connection->due - atoll(own + 6);
    long long start = header(connection->buffer, "x-kelvin-start: "), handover = header(connection->buffer, "x-kelvin-handover: ");
    cold += header(connection->buffer, "x-kelvin-cold: ");
    if (start_first == 0 || start < start_first) start_first = start;
    if (handover > handover_last) handover_last = handover;
  }
  done++;
  connection->is_busy = 0;
  idle[idle_count++] = (int)(connection - connections);
  return 1;
}

static void receive(struct connection *connection) {
  size_t room = BUFFER - 1 - connection->filled;
  if (room == 0) give_up("an answer is too long");
  ssize_t received = recv(connection->descriptor, connection->buffer + connection->filled, room, 0);
  if (received <= 0) give_up("the host closed a connection");
  connection->filled += (size_t)received;
  take_answer(connection);
}

static void open_connections(int port, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int index = 0; index < count; index++) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) give_up("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)index};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("epoll");
    connections[index].descriptor = descriptor;
    idle[idle_count++] = index;
  }
}

static int compare(const void *left, const void *right) {
  long long a = *(const long long *)left, b = *(const long long *)right;
  return (a > b) - (a < b);
}

static void print_quantiles(const char *name, long long *values, long long number) {
  qsort(values, (size_t)number, sizeof *values, compare);
  printf(", \"%s\": {", name);
  static const double quantiles[] = {0.5, 0.9, 0.99, 1};
  for (int index = 0; index < 4; index++) {
    long long rank = number ? (long long)(quantiles[index] * (double)(number - 1)) : 0;
    printf("%s\"p%g\": %.1f", index ? ", " : "", quantiles[index] * 100, number ? (double)values[rank] / 1000 : 0.0);
  }
  printf("}");
}

static void run(int epoll, double rate) {
  long long start = nanoseconds(), distance = rate > 0 ? (long long)(1e9 / rate) : 0;
  if (distance == 0) {
    while (idle_count > 0 && sent < requests) begin(&connections[idle[--idle_count]], nanoseconds());
  }
  static struct epoll_event events[1024];
  while (done < requests) {
    long long now = nanoseconds();
    while (sent < requests && idle_count > 0 && (distance == 0 || start + sent * distance <= now)) {
      begin(&connections[idle[--idle_count]], distance ? start + sent * distance : now);
    }
    long long left = retry_delay > 0 ? 1000000 : 100000000;
    if (distance && sent < requests && idle_count > 0) left = start + sent * distance - nanoseconds();
    if (left < 0) left = 0;
    struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    int ready = epoll_pwait2(epoll, events, 1024, &wait, NULL);
    if (ready < 0 && errno != EINTR) give_up("epoll");
    for (int index = 0; index < ready; index++) receive(&connections[events[index].data.u32]);
    if (retry_delay == 0) continue;
    now = nanoseconds();
    for (int index = 0; index < count; index++) {
      if (connections[index].retry == 0 || connections[index].retry > now) continue;
      connections[index].retry = 0;
      send_request(&connections[index]);
    }
  }
  printf("{\"seconds\": %.6f", (double)(nanoseconds() - start) / 1e9);
}

int main(int argument_count, char **arguments) {
  int port = 0;
  double rate = 0;
  const char *target = "/2015-03-31/functions/f/invocations", *body = "{}";
  for (int index = 1; index + 1 < argument_count; index += 2) {
    const char *name = arguments[index], *value = arguments[index + 1];
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--connections")) count = atoi(value);
    else if (!strcmp(name, "--requests")) requests = atol(value);
    else if (!strcmp(name, "--rate")) rate = atof(value);
    else if (!strcmp(name, "--retry")) retry_delay = atoll(value) * 1000000;
    else if (!strcmp(name, "--target")) target = value;
    else if (!strcmp(name, "--body")) body = value;
    else argument_count = 0;
  }
  if (argument_count % 2 == 0 || port <= 0 || count <= 0 || requests <= 0) {
    fprintf(stderr, "usage: load --port PORT --connections N --requests N [--rate N] [--retry MS] [--target T] [--body JSON]\n");
    return 64;
  }
  request_length = (size_t)snprintf(
      request, sizeof request, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
      target, strlen(body), body);
  if (request_length >= sizeof request) give_up("the request is too long");
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  connections = calloc((size_t)count, sizeof *connections);
  idle = calloc((size_t)count, sizeof *idle);
  latencies = calloc((size_t)requests, sizeof *latencies);
  added = calloc((size_t)requests, sizeof *added);
  int epoll = epoll_create1(0);
  if (!connections || !idle || !latencies || !added || epoll < 0) give_up("memory");
  open_connections(port, epoll);
  run(epoll, rate);
  printf(", \"answered\": %ld, \"retries\": %ld, \"errors\": %ld, \"cold\": %ld, \"statuses\": {", done, retries, errors, cold);
  for (int status = 0, first = 1; status < 600; status++) {
    if (statuses[status] == 0) continue;
    printf("%s\"%d\": %ld", first ? "" : ", ", status, statuses[status]);
    first = 0;
  }
  printf("}, \"handovers\": %.6f", (double)(handover_last - start_first) / 1e9);
  print_quantiles("latency", latencies, answered);
  print_quantiles("added", added, added_count);
  printf("}\n");
  return 0;
}
