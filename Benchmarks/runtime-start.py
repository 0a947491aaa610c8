#!/usr/bin/env python3
"""Measures how fast a function starts: from the call that makes its process to its first `next`.

Usage: Benchmarks/runtime-start.py [--runs N] program [argument ...]

Plays the Runtime API on a loopback port. Prints the medians of: process start to the first request of any kind, to
the first `next`, the CPU time and the peak resident size of a whole life of one event, and the time from one answer
over the next event to its answer. Standard library only.
"""
import argparse
import os
import socket
import statistics
import subprocess
import threading
import time


class Host(threading.Thread):
    """Answers `next` `events` times, then closes, which ends the function."""

    def __init__(self, events):
        super().__init__(daemon=True)
        self.events = events
        self.first = self.next = self.pid = None
        self.peak = 0
        self.round_trips = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.listener.close()
        sent = handed = 0
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                piece = connection.recv(65536)
                if not piece:
                    return
                buffer += piece
            now = time.perf_counter()
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            while len(buffer) < length:
                buffer += connection.recv(65536)
            buffer = buffer[length:]
            self.first = self.first or now
            if b"/invocation/next" in head:
                self.next = self.next or now
                if sent == self.events:
                    self.peak = peak_resident(self.pid)
                    connection.close()
                    return
                sent += 1
                handed = time.perf_counter()
                body = b'{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}'
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
                    b"Lambda-Runtime-Deadline-Ms: %d\r\nContent-Length: %d\r\n\r\n%s"
                    % (time.time() * 1000 + 60000, len(body), body))
            else:
                if b"/response" in head:
                    self.round_trips.append(now - handed)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def peak_resident(pid):
    """In KiB. The peak that wait4 tells of would contain this script's own, from before exec."""
    with open("/proc/%d/status" % pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def run(command, events):
    host = Host(events)
    host.start()
    environment = {"AWS_LAMBDA_RUNTIME_API": host.address, "AWS_LAMBDA_FUNCTION_NAME": "orders", "PATH": os.environ["PATH"]}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    host.pid = process.pid
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    host.join(10)
    return host, start, usage


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("name the program of a function")
    firsts, nexts, cpus, sizes = [], [], [], []
    for _ in range(arguments.runs):
        host, start, usage = run(arguments.command, 1)
        firsts.append(host.first - start)
        nexts.append(host.next - start)
        cpus.append(usage.ru_utime + usage.ru_stime)
        sizes.append(host.peak)
    host, _, usage = run(arguments.command, 5000)
    print("binary                  %8.2f MB" % (os.path.getsize(arguments.command[0]) / 1e6))
    for name, values in [("start to first request", firsts), ("start to first next", nexts), ("CPU of a whole life", cpus)]:
        print("%-23s %8.2f ms median, %.2f least, %.2f most"
              % (name, statistics.median(values) * 1e3, min(values) * 1e3, max(values) * 1e3))
    print("peak resident           %8.0f KiB median" % statistics.median(sizes))
    print("warm event to answer    %8.1f us median of %d" % (statistics.median(host.round_trips) * 1e6, len(host.round_trips)))
    print("CPU for a warm event    %8.1f us" % ((usage.ru_utime + usage.ru_stime - statistics.median(cpus)) / 5000 * 1e6))


main()
