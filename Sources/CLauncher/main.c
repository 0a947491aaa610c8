// Starts one function instance: the process that the host spawns, which prepares itself and becomes the function.
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: kelvin-launcher COMMAND [ARGUMENT ...]\n");
    return 64;
  }
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 127;
}
