"""OpenTelemetry: trace ids in JSON lines, and log records exported from the listener's thread with their span.

    pip install logflume opentelemetry-sdk opentelemetry-instrumentation-logging
    python opentelemetry_traces.py

Exporters in memory take the place of a collector.
"""

import logging
import sys

from opentelemetry import trace
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import logflume

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
LoggingInstrumentor().instrument(inject_trace_context=True)

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logflume.JsonFormatter(schema="otel"))
logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)

with logflume.setup_logging_queue(all_loggers=True, accelerate=True):  # OpenTelemetry has a logger of its own
    tracer = trace.get_tracer("shop")
    for order in range(10):
        with tracer.start_as_current_span("read order"):
            logging.getLogger("shop").info("order read", extra={"order": order})

ids = {format(span.get_span_context().trace_id, "032x") for span in spans.get_finished_spans()}
print(f"{len(ids)} traces", *sorted(ids), file=sys.stderr)
