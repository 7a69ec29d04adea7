"""Whether the time of a refusal tells an unknown client from a wrong secret."""

import random
import secrets
import socket
import statistics
import time
import uuid
from urllib.parse import urlsplit

from load import Broken, token_body


def compare(server, known_id, tries):
    """Medians in microseconds: of a known client with a wrong secret, and of an unknown one. The
    two take turns in random order on one connection, so that whatever else changes hits both."""
    parts = urlsplit(server.url)
    times = {"wrong secret": [], "unknown client": []}
    connection = _Connection(parts.hostname, parts.port)
    for _ in range(tries):
        pair = list(times)
        random.shuffle(pair)
        for kind in pair:
            client_id = known_id if kind == "wrong secret" else str(uuid.uuid4())
            body = token_body(client_id, secrets.token_hex(16))
            times[kind].append(connection.time(_request(parts, body)))
    connection.close()
    return {kind: statistics.median(values) * 1e6 for kind, values in times.items()}


def _request(parts, body):
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class _Connection:
    """As little as can be between the clock and the socket."""

    def __init__(self, host, port):
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def time(self, request):
        began = time.perf_counter()
        self._socket.sendall(request)
        answer = self._socket.recv(65536)
        took = time.perf_counter() - began
        # A refusal is far smaller than a segment of the loopback; half of one would be an error
        # here, and never a wrong time.
        if not answer.startswith(b"HTTP/1.1 401 ") or b"invalid_client" not in answer:
            raise Broken(f"a refusal was not 401 invalid_client: {answer[:300]!r}")
        return took

    def close(self):
        self._socket.close()
