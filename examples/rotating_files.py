"""Rotating files under load from several threads: the files are those that handlers attached directly would write.

    pip install logflume
    python rotating_files.py

Pitfall: the files of one handler belong to one process; give each process files of its own.
"""

import logging
import logging.handlers
import os
import threading

import logflume

handler = logging.handlers.RotatingFileHandler(os.environ.get("LOG", "app.log"), maxBytes=100_000, backupCount=20)
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(asctime)s %(threadName)s %(message)s")


def work() -> None:
    for number in range(2_000):
        logging.info("record %d", number)


with logflume.setup_logging_queue(accelerate=True) as listener:
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(f"{listener.stats().handled} records")
