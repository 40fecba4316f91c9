"""A handler that ships batches to a collector over HTTP, tries again, and slows down when the collector does.

    pip install logflume
    python http_batches.py

`handle_batch()` gets many records at once. It may wait, since it runs on the listener's thread. The queue is bounded:
when the collector stays slow, log calls wait for room. Pitfall: at the end the tries have to fit into exit_timeout.
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
    """Posts JSON lines, five times at most."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def handle_batch(self, records: list[logging.LogRecord]) -> None:
        body = "\n".join(map(self.format, records)).encode()
        for pause in (0.05, 0.1, 0.2, 0.4, None):
            try:
                urllib.request.urlopen(urllib.request.Request(self.url, body), timeout=5).close()
                return
            except OSError as error:  # among them URLError and timeouts
                is_refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
                if is_refused or pause is None:
                    raise  # the listener reports it, for each record
                time.sleep(pause)

    def emit(self, record: logging.LogRecord) -> None:
        """For when it is attached directly."""
        try:
            self.handle_batch([record])
        except Exception:
            self.handleError(record)


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

with logflume.setup_logging_queue(accelerate=True, capacity=1_000, overflow="block", block_timeout=30, exit_timeout=30):
    for number in range(5_000):
        logging.info("record", extra={"number": number})
server.shutdown()
print(f"{len(received)} records in {len(requests)} requests")
