"""Both cores' deliver_batch, for tests to be run with each."""

from __future__ import annotations

import pytest

import cores
from logflume._py import delivery

DELIVERIES = [pytest.param(delivery.deliver_batch, id="pure")]
if "compiled" in cores.available():
    from logflume._c import delivery as compiled

    DELIVERIES.append(pytest.param(compiled.deliver_batch, id="compiled"))
