"""What a SIGKILL costs: how long before it the first record was logged that is not in the file.

    python bench/kill.py [--kills 50] [--every 0.001] [--records 10]

A process logs some records every so many seconds and tells through a pipe what it has logged and when; its parent
kills it at a random moment. The file must hold a prefix of the sequence, but for a part of the last line.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def work(path: str, records: int, every: float) -> None:
    import logflume

    logging.basicConfig(filename=path, format="%(asctime)s %(message)s", level=logging.INFO)
    logflume.accelerate_loggers()
    logflume.setup_logging_queue()
    number = 0
    while True:
        now = time.monotonic()
        for _ in range(records):
            logging.info("record %d", number)
            number += 1
        os.write(1, b"%d %f\n" % (number, now))
        time.sleep(every)


def kill(records: int, every: float) -> float:
    """Return how many seconds before its end the process logged the first record that is missing; 0.0 if none is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        arguments = [sys.executable, __file__, "--work", str(path), str(records), str(every)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()  # it is at work
            time.sleep(random.uniform(0.1, 0.4))
            process.send_signal(signal.SIGKILL)
            told = [line.split() for line in process.stdout]
        lines = path.read_text().split("\n")[:-1]
    for number, line in enumerate(lines):
        if not line.endswith(f" record {number}"):
            raise SystemExit(f"line {number} is {line!r}")
    missing = [float(when) for count, when in told if int(count) > len(lines)]
    return float(told[-1][1]) - missing[0] + every if missing else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.001)
    parser.add_argument("--records", type=int, default=10)
    args = parser.parse_args()
    behind = sorted(kill(args.records, args.every) * 1e3 for _ in range(args.kills))
    print(
        f"{args.kills} kills, {args.records} records every {args.every * 1e3:g} ms: the file is behind by "
        f"{statistics.median(behind):.1f} ms (median), {behind[-1]:.1f} ms at most"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main()
