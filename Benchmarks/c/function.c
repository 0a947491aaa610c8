// The smallest function there is: a client of the Lambda Runtime API in C, for benchmarks and for whoever needs a function
// that costs nothing.
//
// An event {"ms":100} is answered after so many milliseconds, any other at once. The answer is {"own":N}: the nanoseconds from
// the event's last byte until the answer's first, which is what the function itself took.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Headers of at most 4 KiB and as much of the event as is looked at; what is behind is read and dropped.
enum { CAPACITY = 16384 };

static int connection;
static char buffer[CAPACITY];

static void give_up(const char *what) {
  fprintf(stderr, "function: %s\n", what);
  exit(1);
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void connect_to_host(void) {
  const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
  char host[64];
  int port;
  if (api == NULL || sscanf(api, "%63[^:]:%d", host, &port) != 2) give_up("AWS_LAMBDA_RUNTIME_API is not HOST:PORT");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) give_up("AWS_LAMBDA_RUNTIME_API is no address");
  connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0) give_up("no connection");
  int one = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void send_all(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(connection, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) give_up("the host is gone");
    bytes += sent;
    count -= (size_t)sent;
  }
}

static ssize_t receive(char *into, size_t room) {
  ssize_t count = recv(connection, into, room, 0);
  if (count <= 0) exit(0);  // The host has ended, or ends this instance.
  return count;
}

// Reads one reply, and copies the header `name` of it if that is not NULL. Returns the body, ended by a zero byte.
static const char *reply(const char *name, char *value, size_t value_size) {
  size_t filled = 0;
  char *end = NULL;
  while (end == NULL) {
    if (filled == CAPACITY - 1) give_up("the host's headers are too long");
    filled += (size_t)receive(buffer + filled, CAPACITY - 1 - filled);
    buffer[filled] = 0;
    end = strstr(buffer, "\r\n\r\n");
  }
  end[2] = 0;
  char *body = end + 4;
  const char *length_header = strcasestr(buffer, "\r\ncontent-length:");
  size_t length = length_header ? strtoul(length_header + 17, NULL, 10) : 0;
  if (name) {
    const char *header = strcasestr(buffer, name);
    if (header == NULL) give_up("the host sent an event without an id");
    header += strlen(name);
    header += strspn(header, ": ");
    size_t count = strcspn(header, "\r");
    if (count >= value_size) give_up("the host's id is too long");
    memcpy(value, header, count);
    value[count] = 0;
  }
  size_t have = filled - (size_t)(body - buffer);
  while (have < length) {
    size_t kept = (size_t)(buffer + CAPACITY - 1 - body);
    static char rest[65536];
    if (have < kept) {
      have += (size_t)receive(body + have, kept - have < length - have ? kept - have : length - have);
    } else {
      have += (size_t)receive(rest, length - have < sizeof rest ? length - have : sizeof rest);
    }
  }
  size_t shown = (size_t)(buffer + CAPACITY - 1 - body);
  body[length < shown ? length : shown] = 0;
  return body;
}

int main(void) {
  static const char next[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: host\r\n\r\n";
  connect_to_host();
  for (;;) {
    char id[64], answer[512], document[64];
    send_all(next, sizeof next - 1);
    const char *event = reply("lambda-runtime-aws-request-id", id, sizeof id);
    long long start = nanoseconds();
    const char *field = strstr(event, "\"ms\":");
    if (field) {
      long milliseconds = strtol(field + 5, NULL, 10);
      struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
      while (nanosleep(&pause, &pause) != 0) {}
    }
    int length = snprintf(document, sizeof document, "{\"own\":%lld}", nanoseconds() - start);
    int count = snprintf(
        answer, sizeof answer,
        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: host\r\nContent-Length: %d\r\n\r\n%s", id, length,
        document);
    send_all(answer, (size_t)count);
    reply(NULL, NULL, 0);
  }
}
