"""An API that says what it has understood of each request: its port first, then a line of JSON for each."""

import json
import posixpath
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

SAYING = threading.Lock()


def say(line):
    with SAYING:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def resolve(target):
    """The path as `http.server` looks at it when it serves files: decoded, then dot segments are resolved."""
    path = unquote(urlsplit(target).path)
    resolved = posixpath.normpath(path)
    return resolved + "/" if path.endswith("/") and resolved != "/" else resolved


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __getattr__(self, name):
        # Every method is answered alike.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        body, whole = self.body()
        say({
            "method": self.command,
            "target": self.path,
            "resolved": resolve(self.path),
            "fields": list(self.headers.items()),
            "trailers": [],
            "body": body.decode("latin-1"),
            "whole": whole,
        })
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"fine")

    def body(self):
        """The bytes, and whether all of them came."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self.chunks()
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        return body, len(body) == length

    def chunks(self):
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0].strip() or b"-1", 16)
            if size < 0:
                return body, False
            body += self.rfile.read(size)
            if size == 0:
                while self.rfile.readline().strip():
                    pass
                return body, True
            self.rfile.readline()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Echo)
say({"port": server.server_address[1]})
server.serve_forever()
