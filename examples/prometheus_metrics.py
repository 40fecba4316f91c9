"""Metrics of logflume's listener for Prometheus.

    pip install logflume prometheus-client
    python prometheus_metrics.py
    curl localhost:9464/metrics

A service that has an endpoint for metrics already needs only ListenerCollector and the line that registers it. Alert
on logflume_dropped_records_total, logflume_failed_records_total and logflume_oldest_pending_seconds. Pitfall: each
process has numbers of its own, so the port of one worker tells nothing of the others.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import logflume


class ListenerCollector(Collector):
    """Reads stats() each time that Prometheus asks: nothing runs in between."""

    def __init__(self, listener: logflume.QueueListener) -> None:
        self.listener = listener

    def collect(self) -> Iterator[Metric]:
        stats = self.listener.stats()
        for name, value, text in [
            ("accepted_records", stats.accepted, "Records that came to be handled"),
            ("handled_records", stats.handled, "Records that the handlers were given"),
            ("failed_records", stats.failed, "Records for which a handler raised"),
        ]:
            yield CounterMetricFamily(f"logflume_{name}", text, value)
        dropped = CounterMetricFamily(
            "logflume_dropped_records", "Records that were dropped", labels=["reason", "level"]
        )
        for reason, levels in stats.drops.items():
            for level, count in levels.items():
                dropped.add_metric([reason, level], count)
        yield dropped
        for name, gauge, text in [
            ("pending_records", stats.pending, "Records that are queued or being handled"),
            ("queue_high_water_records", stats.high_water, "The most records that waited"),
            ("oldest_pending_seconds", stats.oldest_age, "Age of the oldest record that is pending"),
        ]:
            yield GaugeMetricFamily(f"logflume_{name}", text, gauge)
        by_handler = [
            CounterMetricFamily(f"logflume_handler_{name}", text, labels=["handler"])
            for name, text in [
                ("records", "Records that the handler was given"),
                ("errors", "Exceptions that it raised"),
                ("seconds", "Time that it took"),
            ]
        ]
        for number, (handler, *counts) in enumerate(stats.handlers):
            label = handler.name or f"{type(handler).__name__}-{number}"
            for family, count in zip(by_handler, counts, strict=True):
                family.add_metric([label], count)
        yield from by_handler


def main(port: int = 9464) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with logflume.setup_logging_queue(capacity=10_000) as listener:
        prometheus_client.REGISTRY.register(ListenerCollector(listener))
        server, _ = prometheus_client.start_http_server(port)
        logging.info("metrics at http://localhost:%d/metrics; press Ctrl-C to end", server.server_port)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            server.shutdown()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
