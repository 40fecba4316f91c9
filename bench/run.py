"""Run all benchmarks, one after the other: python bench/run.py [name ...]"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = ["handler", "call", "delivery", "listener", "server", "kill"]

for name in sys.argv[1:] or ALL:
    print(f"\n==== {name} ====", flush=True)
    subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)
