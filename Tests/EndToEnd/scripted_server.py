"""A server that answers what it was told to, by path, and keeps what it was asked."""
import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ScriptedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers, otherwise):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.otherwise = answers, otherwise
        # Of each request: method, path, headers as they came, body.
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, self.headers, body))
        answer = self.server.answers.get(self.path, self.server.otherwise).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_DELETE = do_GET

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def scripted_server(answers, otherwise):
    """Runs one on a free port of this machine; `otherwise` is the answer to every path that `answers` does not name."""
    with ScriptedServer(answers, otherwise) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
