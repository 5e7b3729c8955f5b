"""Just enough of HTTP/1.1, server side: quicker than http.server, whose parsing of heads would show up in what is measured."""

import socket
import threading
from dataclasses import dataclass

REASONS = {200: "OK", 202: "Accepted", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes


def listen(address="127.0.0.1", port=0):
    return socket.create_server((address, port), backlog=64)


def serve(listener, handle):
    """Accepts for ever; `handle(request, respond)` is called for every request, each connection in a thread of its own.

    `respond(status, body, headers)` writes the answer. A handler that returns without calling it closes the connection.
    """

    def connection(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, sock.makefile("rb", 1 << 16) as reader:
            answered = True

            def respond(status, body=b"", headers=None):
                nonlocal answered
                answered = True
                lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"content-length: {len(body)}"]
                lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
                sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

            try:
                while answered and (request := read_request(reader)):
                    answered = False
                    handle(request, respond)
            except OSError:
                pass  # The other side went away; it may.

    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=connection, args=(sock,), daemon=True).start()


def read_request(reader):
    """The next request of the connection, or None at its end."""
    line = reader.readline()
    if not line:
        return None
    method, path, _version = line.decode("latin-1").split()
    headers = {}
    while (line := reader.readline().rstrip(b"\r\n")):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b"".join(read_chunks(reader))
    else:
        length = int(headers.get("content-length", 0))
        body = reader.read(length)
        if len(body) < length:
            return None  # Cut off in mid-body: never count it.
    return Request(method, path, headers, body)


def read_chunks(reader):
    while size := int(reader.readline().split(b";")[0], 16):
        yield reader.read(size)
        reader.readline()
    while reader.readline().strip():
        pass
