#!/usr/bin/env python3
"""Serves the series of an exposition in the text format with prometheus_client, Prometheus' own client for Python.

Usage: Benchmarks/serve-with-client.py FILE

Prints the port of loopback that it listens on, and serves until it is ended. Benchmarks/programs.py measures it beside Kelvin.
"""
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.parser import text_fd_to_metric_families


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Families:
    """What was read, as if it had been counted here; only the writing of it is measured."""

    def __init__(self, path):
        with open(path, encoding="utf-8", newline="\n") as file:
            self.families = list(text_fd_to_metric_families(file))

    def describe(self):
        return []

    def collect(self):
        return self.families


registry = CollectorRegistry(auto_describe=False)
registry.register(Families(sys.argv[1]))
with make_server("127.0.0.1", 0, make_wsgi_app(registry), handler_class=Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
