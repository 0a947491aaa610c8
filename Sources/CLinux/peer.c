#define _GNU_SOURCE
#include "CLinux.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TCP_STATE_LISTEN = 10 };

static int64_t ask(int netlink, const struct sockaddr_in *own, const struct sockaddr_in *peer) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } question = {
      .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
      .request = {
          .sdiag_family = AF_INET,
          .sdiag_protocol = IPPROTO_TCP,
          .idiag_states = UINT32_MAX,
          .id = {.idiag_sport = own->sin_port,
                 .idiag_dport = peer->sin_port,
                 .idiag_src = {own->sin_addr.s_addr},
                 .idiag_dst = {peer->sin_addr.s_addr},
                 .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
  if (send(netlink, &question, sizeof question, 0) != (ssize_t)sizeof question) return -1;
  union {
    struct nlmsghdr header;
    char bytes[4096];
  } answer;
  // The kernel has written its answer before send returns.
  ssize_t length = recv(netlink, &answer, sizeof answer, MSG_DONTWAIT);
  if (length < (ssize_t)sizeof(struct nlmsghdr) || !NLMSG_OK(&answer.header, (unsigned)length)) return -1;
  if (answer.header.nlmsg_type == NLMSG_ERROR) {
    const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
    return answer.header.nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error == -ENOENT ? 0 : -1;
  }
  const struct inet_diag_msg *message = NLMSG_DATA(&answer.header);
  if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || answer.header.nlmsg_len < NLMSG_LENGTH(sizeof *message)) {
    return -1;
  }
  // Where there is no connection, whoever listens on the port is found.
  return message->idiag_state == TCP_STATE_LISTEN ? 0 : message->idiag_inode;
}

int64_t clinux_tcp_socket(const struct sockaddr *own, const struct sockaddr *peer) {
  if (own->sa_family != AF_INET || peer->sa_family != AF_INET) return -1;
  int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return -1;
  int64_t result = ask(netlink, (const struct sockaddr_in *)own, (const struct sockaddr_in *)peer);
  close(netlink);
  return result;
}

// Processes and descriptors that are looked at; whoever has more is not told from a stranger.
enum { PROCESSES_MAX = 1024, DESCRIPTORS_MAX = 65536 };

static int is_number(const char *text) { return isdigit((unsigned char)text[0]); }

// 1: it has it; 0: it has not; -1: it cannot be looked at. A process that has just ended has nothing.
static int has_socket(pid_t process, const char *name, int *looked_at) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", process);
  DIR *folder = opendir(path);
  if (folder == NULL) return errno == ENOENT || errno == ESRCH ? 0 : -1;
  int result = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
    if (!is_number(entry->d_name)) continue;
    if (++*looked_at > DESCRIPTORS_MAX) result = -1;
    char target[64];
    ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = 0;
    if (strcmp(target, name) == 0) result = 1;
  }
  closedir(folder);
  return result;
}

// Adds the children of one thread. 0, or -1 if they cannot be known.
static int add_children(pid_t process, const char *thread, pid_t *processes, int *count) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/task/%s/children", process, thread);
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    // Gone meanwhile, or a kernel without this file: then its folder is still there.
    char folder[64];
    snprintf(folder, sizeof folder, "/proc/%d/task/%s", process, thread);
    return errno == ENOENT && access(folder, F_OK) != 0 ? 0 : -1;
  }
  int result = 0;
  for (int child; fscanf(file, "%d", &child) == 1;) {
    if (*count == PROCESSES_MAX) {
      result = -1;
      break;
    }
    processes[(*count)++] = child;
  }
  fclose(file);
  return result;
}

static int add_all_children(pid_t process, pid_t *processes, int *count) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *folder = opendir(path);
  if (folder == NULL) return errno == ENOENT || errno == ESRCH ? 0 : -1;
  int result = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
    if (is_number(entry->d_name)) result = add_children(process, entry->d_name, processes, count);
  }
  closedir(folder);
  return result;
}

// Whether the process numbers of /proc are those of this process: they are not after unshare(1) with --pid alone.
static int knows_our_numbers(void) {
  char text[32];
  ssize_t length = readlink("/proc/self", text, sizeof text - 1);
  if (length <= 0) return 0;
  text[length] = 0;
  return atoi(text) == getpid();
}

static int look_once(pid_t root, const char *name) {
  pid_t processes[PROCESSES_MAX];
  int count = 1, looked_at = 0, is_certain = 1;
  processes[0] = root;
  for (int index = 0; index < count; index++) {
    // The first is not looked at: it has given itself other rights, so that it may not be possible.
    int found = index == 0 ? 0 : has_socket(processes[index], name, &looked_at);
    if (found == 1) return 1;
    if (found < 0) is_certain = 0;
    if (add_all_children(processes[index], processes, &count) != 0) is_certain = 0;
    // Without the first there is no tree.
    if (index == 0 && kill(root, 0) != 0 && errno == ESRCH) return -1;
  }
  return is_certain ? 0 : -1;
}

int clinux_tree_has_socket(pid_t root, uint32_t inode) {
  if (root <= 0 || inode == 0 || !knows_our_numbers()) return -1;
  char name[32];
  snprintf(name, sizeof name, "socket:[%u]", inode);
  // A list of children may lack one while another one ends (proc_pid_task_tid_children(5)), and a process whose parent has just ended is
  // found below neither. So one that is not found is looked for again.
  int found = 0;
  for (int attempt = 0; attempt < 3 && found == 0; attempt++) found = look_once(root, name);
  return found;
}
