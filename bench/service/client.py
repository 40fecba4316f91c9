"""The clients: connections in a closed loop, each with a request of its own number.

    python -m bench.service.client PORT CONNECTIONS FIRST SECONDS

It prints how many requests were answered, in how many seconds, and the latencies as JSON. The loop spins instead of
waiting: to wake the clients would cost the server more than its own work.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def complete(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if found and not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the service answered {head[:60]!r}")
    return bool(found) and len(body) >= int(LENGTH.search(head)[1])  # type: ignore[index]


def drive(port: int, connections: int, first: int, seconds: float) -> dict[str, object]:
    poll = select.epoll()
    clients = {}
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clients[client.fileno()] = client
        poll.register(client.fileno(), select.EPOLLIN)
    clock = time.perf_counter
    sent = {}
    answers = {}
    number = first
    latencies = []

    def send(descriptor: int) -> None:
        nonlocal number
        clients[descriptor].send(b"GET /orders/%d HTTP/1.1\r\nhost: localhost\r\n\r\n" % number)
        sent[descriptor] = clock()
        answers[descriptor] = b""
        number += 1

    begun = clock()
    for descriptor in clients:
        send(descriptor)
    while sent:
        for descriptor, _ in poll.poll(0):
            answers[descriptor] += clients[descriptor].recv(65536)
            if not complete(answers[descriptor]):
                continue
            now = clock()
            latencies.append(now - sent.pop(descriptor))
            if now < begun + seconds:
                send(descriptor)
    return {"requests": number - first, "seconds": clock() - begun, "latencies": latencies}


if __name__ == "__main__":
    port, connections, first, seconds = sys.argv[1:]
    print(json.dumps(drive(int(port), int(connections), int(first), float(seconds))))
