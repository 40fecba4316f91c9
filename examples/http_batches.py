"""A handler that ships batches to a collector over HTTP, tries again, and slows down when the collector does.

    pip install logflume
    python http_batches.py

`handle_batch()` gets many records at once. It may wait: it runs on the listener's thread, and no log call waits for
it. The queue grows meanwhile, which `listener.stats().pending` tells.
"""

import http.server
import json
import logging
import threading
import time
import urllib.error
import urllib.request

import logflume


class HttpBatches(logging.Handler):
    """Posts JSON lines; `tries` times, and waits twice as long before each."""

    def __init__(self, url: str, most: int = 500, tries: int = 5) -> None:
        super().__init__()
        self.url = url
        self.most = most
        self.tries = tries

    def handle_batch(self, records: list[logging.LogRecord]) -> None:
        for begin in range(0, len(records), self.most):
            self.post([self.format(record) for record in records[begin : begin + self.most]])

    def emit(self, record: logging.LogRecord) -> None:
        """For when it is attached directly."""
        self.handle_batch([record])

    def post(self, lines: list[str]) -> None:
        body = "\n".join(lines).encode()
        for attempt in range(self.tries):
            try:
                urllib.request.urlopen(urllib.request.Request(self.url, body), timeout=5).close()
                return
            except urllib.error.URLError:
                if attempt + 1 == self.tries:
                    raise  # the listener reports it, for each record
                time.sleep(0.05 * 2**attempt)


requests: list[str] = []
received: list[object] = []


class Collector(http.server.BaseHTTPRequestHandler):
    """Refuses every third request."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
        refused = len(requests) % 3 == 0
        if not refused:
            received.extend([json.loads(line) for line in body.splitlines()])
        self.send_response(503 if refused else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
handler = HttpBatches(f"http://127.0.0.1:{server.server_port}")
handler.setFormatter(logflume.JsonFormatter(timestamp=True))
logging.basicConfig(level=logging.INFO, handlers=[handler])

with logflume.setup_logging_queue(accelerate=True):
    for number in range(5_000):
        logging.info("record", extra={"number": number})
server.shutdown()
print(f"{len(received)} records in {len(requests)} requests")
