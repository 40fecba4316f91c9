"""What happens while nothing is written: records that wait take memory, or the call waits."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from .. import contenders, lines, process
from ..contenders.contender import Contender, Running
from ..load import compile_loop
from ..table import Column, Options, Plot, Result, Row
from ..usage import resident
from .by_contender import ContenderTable

RECORDS = 40_000


class Memory(ContenderTable):
    name = "memory"
    title = "A sink that takes nothing"
    about = (
        f"{RECORDS:,} records for a named pipe that nothing reads, at first: how many calls return within two "
        "seconds, and how much the process grows for each record that waits. Then the pipe is read to its end."
    )
    columns = (
        Column("accepted", "calls that returned", "records", more_is_better=True),
        Column("bytes", "a record that waits", "bytes", spread=True),
    )
    plot = Plot("bytes", "Memory for a record that waits")
    rounds = 1

    def contenders(self) -> list[Contender]:
        return [contender for contender in super().contenders() if not contender.in_loop]

    def run(self, row: Row, folder: Path) -> Result:
        contender = contenders.ALL[row.labels["contender"]]
        os.mkfifo(folder / "file")
        held_open = os.open(folder / "file", os.O_RDWR)  # so that no open() waits
        read = os.open(folder / "file", os.O_RDONLY)
        try:
            with process.started(process.child(self.name, row, folder), row, folder) as running:
                stood_still = not self.wait(running, folder / "stuck.json")
                with open(folder / "read", "wb") as copy:
                    cat = subprocess.Popen(["cat"], stdin=read, stdout=copy)
                running.wait(process.PATIENCE)
        except subprocess.TimeoutExpired:
            return {"unavailable": f"did not end within {process.PATIENCE:.0f} s"}
        finally:
            os.close(held_open)
            os.close(read)
        cat.wait()
        result = process.result(folder)
        if "unavailable" not in result:
            wanted = map(lines.message, range(result["records"]))
            result["sink"] = str(lines.check(folder / "read", wanted, contender.style))
        if stood_still:
            result["sink"] += "; no thread of the process ran meanwhile"
            result["accepted"] = result["bytes"] = None
        return result

    @staticmethod
    def wait(running: subprocess.Popen, told: Path) -> bool:
        """Wait until the child tells how far it came, or ends. Return False if it does neither."""
        end = time.monotonic() + 5
        while running.poll() is None and not told.exists():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def measure(self, row: Row, folder: Path) -> Result:
        self.folder = folder
        return super().measure(row, folder)

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        count = options.count(RECORDS)
        loop = compile_loop(contender.calls["plain"], {"log": running.log}, kind="def")
        accepted = 0

        def log() -> None:
            nonlocal accepted
            for accepted in range(1, count + 1):
                loop(accepted - 1, accepted)

        before = resident()
        thread = threading.Thread(target=log, daemon=True)
        thread.start()
        thread.join(2.0)
        stuck, grown = accepted, resident() - before
        process.write(self.folder, {}, "stuck.json")
        thread.join(process.PATIENCE / 2)
        all_waited = stuck == count
        return {"accepted": stuck, "bytes": grown / stuck if all_waited else None, "records": count}


TABLES = [Memory()]
