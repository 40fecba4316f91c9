"""Metrics of logflume's listener for OpenTelemetry, printed once.

    pip install logflume opentelemetry-sdk
    python opentelemetry_metrics.py

In a service, give the MeterProvider the reader of your exporter in place of the console's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader

import logflume


def observe(listener: logflume.QueueListener, meter: Meter) -> None:
    """Have `meter` read the listener's stats() each time that metrics are exported."""

    def records(options: CallbackOptions) -> Iterable[Observation]:
        stats = listener.stats()
        yield Observation(stats.handled, {"outcome": "handled"})
        yield Observation(stats.failed, {"outcome": "failed"})
        for reason, levels in stats.drops.items():
            for level, count in levels.items():
                yield Observation(count, {"outcome": "dropped", "reason": reason, "level": level})

    def pending(options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(listener.stats().pending)

    def oldest(options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(listener.stats().oldest_age)

    def seconds(options: CallbackOptions) -> Iterable[Observation]:
        for number, handler in enumerate(listener.stats().handlers):
            name = handler.handler.name or f"{type(handler.handler).__name__}-{number}"
            yield Observation(handler.seconds, {"handler": name})

    meter.create_observable_counter("logflume.records", [records], "{record}", "Records by outcome")
    meter.create_observable_gauge("logflume.pending", [pending], "{record}", "Records that are pending")
    meter.create_observable_gauge("logflume.oldest", [oldest], "s", "Age of the oldest pending record")
    meter.create_observable_counter("logflume.handler.time", [seconds], "s", "Time that handlers took")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    reader = PeriodicExportingMetricReader(ConsoleMetricExporter())
    provider = MeterProvider([reader])
    with logflume.setup_logging_queue(capacity=10_000) as listener:
        observe(listener, provider.get_meter("logflume"))
        for i in range(100):
            logging.info("record %d", i)
        listener.flush()
        provider.force_flush()
    provider.shutdown()


if __name__ == "__main__":
    main()
