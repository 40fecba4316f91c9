"""Delivery to text streams over a descriptor: sys.stdout and the like, to pipes, sockets, terminals and files.

Other code prints to the same stream, and other processes write to the same pipe. What comes out has to be what comes
out of the handler attached directly.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliveries import DELIVERIES, numbered_lines, numbered_records, one_at_a_time, unexpected
from helpers import environment, in_order_of_definition, open_stream, run_code

fcntl = pytest.importorskip("fcntl")
each_core = pytest.mark.parametrize("deliver_batch", DELIVERIES)
linux = pytest.mark.skipif(sys.platform != "linux", reason="uses pipes, sockets and terminals of Linux")
batches = pytest.mark.skipif(
    sys.implementation.name != "cpython",
    reason="does not tell a stream's newlines and buffer: one record at a time",
)
PIPE_BUF = select.PIPE_BUF


KINDS = ["block", "line", "unbuffered"]


class Packets:
    """A socket that keeps writes apart, and the sizes and bytes of those."""

    def __init__(self) -> None:
        self.reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.writer = writer.detach()

    def read(self) -> list[bytes]:
        self.reader.setblocking(False)
        packets = []
        with contextlib.suppress(BlockingIOError):
            while packet := self.reader.recv(1 << 20):
                packets.append(packet)
        self.reader.close()
        return packets


@linux
@batches
@each_core
@pytest.mark.parametrize("kind", [*KINDS, "own", "formatter", "crlf", "subclass"])
def test_whole_records_where_others_may_write(deliver_batch: Any, kind: str, tmp_path: Path) -> None:
    packets = Packets()
    if kind == "own":
        handler: Any = logging.FileHandler(tmp_path / "log")
        os.dup2(packets.writer, handler.stream.fileno())
        os.close(packets.writer)
    elif kind == "crlf":
        handler = logging.StreamHandler(open_stream(packets.writer, "block", newline="\r\n"))
    elif kind == "subclass":
        handler = logging.StreamHandler(
            Wrapper(io.BufferedWriter(io.FileIO(packets.writer, "w"), 1 << 17), "utf-8", newline="\n")
        )
    else:
        handler = logging.StreamHandler(open_stream(packets.writer, kind if kind in KINDS else "block"))
    handler.setFormatter(Sub("%(message)s") if kind == "formatter" else logging.Formatter("%(message)s"))
    records = [
        *numbered_records(600),
        *numbered_records(1, "long" + "x" * 5000 + "%d"),
        *numbered_records(200),
    ]
    deliver_batch(handler, records, unexpected)
    written = packets.read()
    expected = numbered_lines(600) + "long" + "x" * 5000 + "0\n" + numbered_lines(200)
    if kind == "crlf":
        expected = expected.replace("\n", "\r\n")
    assert b"".join(written).decode() == expected
    assert all(packet.endswith(b"\n") for packet in written)
    assert [len(packet) > PIPE_BUF for packet in written].count(True) == 1
    assert len(written) < (12 if kind not in ("crlf", "subclass") else 20)
    handler.stream.close()


class Wrapper(io.TextIOWrapper):
    pass


class Sub(logging.Formatter):
    pass


def read_all(descriptor: int) -> Callable[[], bytes]:
    """Read in a thread what comes out of `descriptor`; gives what waits for the end and returns it."""
    received: list[bytes] = []

    def read() -> None:
        # A terminal whose other end is closed is an error, which Linux may raise before the last text was read: that
        # was written between its look for text and its look for the end. Once closed, the next error is the end.
        for _ in range(2):
            with contextlib.suppress(OSError):
                while some := os.read(descriptor, 65536):
                    received.append(some)

    thread = threading.Thread(target=read)
    thread.start()

    def end() -> bytes:
        thread.join(30)
        assert not thread.is_alive()
        os.close(descriptor)
        return b"".join(received)

    return end


def pipe(folder: Path) -> tuple[int, Callable[[], bytes]]:
    reader, writer = os.pipe()
    return writer, read_all(reader)


def terminal(folder: Path) -> tuple[int, Callable[[], bytes]]:
    reader, writer = os.openpty()
    return writer, read_all(reader)


def unix_socket(folder: Path) -> tuple[int, Callable[[], bytes]]:
    reader, writer = socket.socketpair()
    return writer.detach(), read_all(reader.detach())


def file(folder: Path) -> tuple[int, Callable[[], bytes]]:
    path = folder / "file"
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), path.read_bytes


def has_terminals() -> bool:
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError:  # a container without /dev/pts
        return False
    return True


TARGETS = [pipe, unix_socket, file, *([terminal] if has_terminals() else [])]
CHANGES, change = in_order_of_definition()


@change
def nothing(stream: Any) -> None:
    """So that the tests tell that they tell."""


@change
def a_print(stream: Any) -> None:
    print("printed", file=stream)


@change
def half_a_line(stream: Any) -> None:
    print("printed", end="", file=stream)


@change
def more_than_the_buffer(stream: Any) -> None:
    for _ in range(300):
        print("printed " + "x" * 70, file=stream)


@change
def bytes_in_the_buffer(stream: Any) -> None:
    stream.buffer.write(b"bytes\n")


@change
def other_newlines(stream: Any) -> None:
    stream.reconfigure(newline="\r\n")


@change
def the_same_newlines(stream: Any) -> None:
    stream.reconfigure(newline="")


@change
def other_newlines_and_a_print(stream: Any) -> None:
    print("printed", file=stream)
    stream.reconfigure(newline="\r")


@change
def other_encoding(stream: Any) -> None:
    stream.reconfigure(encoding="utf-16", errors="strict")


@change
def ascii_with_errors(stream: Any) -> None:
    stream.reconfigure(encoding="ascii", errors="namereplace")


@change
def errors_alone(stream: Any) -> None:
    stream.reconfigure(errors="surrogateescape")


@change
def line_buffering(stream: Any) -> None:
    stream.reconfigure(line_buffering=not stream.line_buffering)


@change
def write_of_its_own(stream: Any) -> None:
    write = stream.write
    stream.write = lambda text: write(text.upper())


@change
def write_of_the_buffer(stream: Any) -> None:
    if type(stream.buffer) is not io.FileIO:  # that one is known by its attributes, too
        write = stream.buffer.write
        stream.buffer.write = lambda data: write(bytes(data).upper())


@change
def write_of_the_descriptor(stream: Any) -> None:
    raw = getattr(stream.buffer, "raw", stream.buffer)
    write = raw.write
    raw.write = lambda data: write(bytes(data).upper())


@change
def closed(stream: Any) -> None:
    stream.close()


@change
def detached(stream: Any) -> None:
    stream.detach()


TEXTS = ["record %d", "gr\xfcn %d", "half \udce9 %d", "two\nlines %d", "\u20ac %d", "%d\r\n"]


def outcome(
    deliver: Any, target: Any, kind: str, encoding: str, errors: str, act: Any, terminator: str, folder: Path
) -> Any:
    """What comes out of a stream, and what was reported, with a change after some batches."""
    folder.mkdir(exist_ok=True)
    descriptor, result = target(folder)
    stream = open_stream(descriptor, kind, encoding)
    buffer = stream.buffer
    stream.reconfigure(errors=errors)
    reports: list[Any] = []
    handlers = [logging.StreamHandler(stream) for _ in range(2)]
    for number, handler in enumerate(handlers):
        handler.terminator = terminator
        handler.setFormatter(logging.Formatter(f"%(levelname)s {number} %(message)s"))
        handler.handleError = lambda record: reports.append(  # type: ignore[method-assign]
            (record.lineno, type(sys.exc_info()[1]))
        )
    for batch in range(6):
        if batch == 3:
            act(stream)
        for handler in handlers:
            records = [record for text in TEXTS for record in numbered_records(4, text)]
            deliver(handler, records, unexpected)
            assert deliver is one_at_a_time or records == []
    with contextlib.suppress(Exception):
        print("the end", file=stream)
    for file in (stream, buffer):
        with contextlib.suppress(Exception):
            file.close()
    return result(), reports


@linux
@each_core
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", CHANGES)
def test_a_change_between_batches(deliver_batch: Any, kind: str, act: Any, tmp_path: Path) -> None:
    given = (pipe, kind, "utf-8", "backslashreplace", act, "\n")
    expected = outcome(one_at_a_time, *given, tmp_path / "stock")
    assert outcome(deliver_batch, *given, tmp_path / "batches") == expected


@linux
@each_core
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    target=st.sampled_from(TARGETS),
    kind=st.sampled_from(KINDS),
    encoding=st.sampled_from(["utf-8", "ascii", "latin-1", "utf-16", "cp1252", "utf-8-sig"]),
    errors=st.sampled_from(["strict", "replace", "surrogateescape", "backslashreplace", "ignore"]),
    act=st.sampled_from([nothing, a_print, more_than_the_buffer, other_newlines, errors_alone, ascii_with_errors]),
    terminator=st.sampled_from(["\n", "", "\r\n", "\u2028", "end" * 2000 + "\n"]),
)
def test_streams_of_any_kind(deliver_batch: Any, tmp_path_factory: Any, **given: Any) -> None:
    folder = tmp_path_factory.mktemp("streams")
    expected = outcome(one_at_a_time, folder=folder / "stock", **given)
    assert outcome(deliver_batch, folder=folder / "batches", **given) == expected


# Through a listener.

FULL_PIPE = """
import fcntl, logging, os, sys, threading, time
import logflume
from helpers import F_SETPIPE_SZ
reader, writer = os.pipe()
fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
os.dup2(writer, 1)
os.set_blocking(1, sys.argv[1] == "blocking")
logging.basicConfig(level=20, stream=sys.stdout, format="%(message)s")
listener = logflume.setup_logging_queue(accelerate=True)
for i in range(3000):
    logging.info("record %d %s", i, "x" * 50)
time.sleep(0.2)
cpu = time.process_time()
for _ in range(50):
    time.sleep(0.01)
cpu = time.process_time() - cpu
received = []
def read():
    while some := os.read(reader, 65536):
        received.append(some)
thread = threading.Thread(target=read)
thread.start()
listener.stop()
for descriptor in (1, writer):
    os.close(descriptor)
thread.join()
sys.stdout = None
lines = b"".join(received).decode().splitlines()
assert [line.split()[1] for line in lines] == [str(i) for i in range(3000)], len(lines)
assert cpu < 0.1, cpu
"""


@linux
@pytest.mark.parametrize("mode", ["blocking", pytest.param("non-blocking", marks=batches)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.usefixtures("lf")
def test_a_full_pipe_stops_the_listener_only(mode: str, unbuffered: str) -> None:
    done = run_code(FULL_PIPE, mode, env=environment(PYTHONUNBUFFERED=unbuffered))
    assert (done.returncode, done.stderr) == (0, "")


PRINTS_AND_LOGS = """
import logging, sys
import logflume
logging.basicConfig(level=20, stream=sys.stdout, format="log %(message)s end")
listener = logflume.setup_logging_queue(accelerate=True)
count, waits = int(sys.argv[1]), sys.argv[2] == "waits"
for i in range(count):
    print(f"print {i} {'x' * 60} end", flush=i % 97 == 0)
    if i % 3 == 0:
        logging.info("%d %s", i, "y" * (i % 200))
    if waits and i % 10 == 9:
        listener.flush()
"""


def printed_and_logged(count: int, waits: bool) -> list[str]:
    """The lines of a process that prints and logs, whole ones."""
    env = environment()
    env.pop("PYTHONUNBUFFERED", None)
    done = run_code(PRINTS_AND_LOGS, str(count), "waits" if waits else "", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith(("print ", "log ")) and line.endswith(" end") for line in lines)
    assert [int(line.split()[1]) for line in lines if line.startswith("print")] == list(range(count))
    assert [int(line.split()[1]) for line in lines if line.startswith("log")] == list(range(0, count, 3))
    return lines


@linux
@pytest.mark.usefixtures("lf")
def test_lines_that_are_printed_stay_whole() -> None:
    """The buffer of sys.stdout writes a part of a line when it is full, and keeps the rest.

    Not the order: a print that has to wait for the listener's write may have its text, and that of prints before it,
    out of the stream and not yet in the buffer.
    """
    printed_and_logged(4000, waits=False)


@linux
@pytest.mark.usefixtures("lf")
def test_what_was_printed_before_a_call_comes_before_its_record() -> None:
    seen = -1
    for line in printed_and_logged(500, waits=True):
        number = int(line.split()[1])
        if line.startswith("print"):
            seen = number
        else:
            assert seen >= number


WORKER = """
import logging, sys, time
import logflume
handler = logging.FileHandler("/dev/stdout") if sys.argv[1] == "file" else logging.StreamHandler(sys.stdout)
logging.basicConfig(level=20, handlers=[handler], format=f"[{sys.argv[2]} %(message)s]")
logflume.setup_logging_queue(accelerate=True)
for i in range(1500):
    logging.info("%d %s", i, "x" * 150)
    if i % 50 == 0:
        time.sleep(0.001)
"""


@linux
@pytest.mark.parametrize("kind", ["file", "stream"])
@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.usefixtures("lf")
def test_processes_that_share_a_pipe_tear_no_lines(kind: str, unbuffered: bool) -> None:
    env = environment(PYTHONUNBUFFERED="1")
    if not unbuffered:
        del env["PYTHONUNBUFFERED"]
    reader, writer = os.pipe()
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, kind, str(n)], stdout=writer, env=env) for n in range(3)]
    os.close(writer)
    received = b""
    while some := os.read(reader, 4096):
        received += some
        time.sleep(0.0002)
    os.close(reader)
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    lines = received.decode().splitlines()
    expected = [f"[{n} {i} {'x' * 150}]" for n in range(3) for i in range(1500)]
    assert sorted(lines) == sorted(expected)
