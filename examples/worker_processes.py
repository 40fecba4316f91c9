"""multiprocessing: each worker has a listener of its own, and all write whole lines to one pipe.

    pip install logflume
    python worker_processes.py | sort | uniq --count

The queue does not leave a process, so each one sets logging up for itself, with `fork` as well as with `spawn`.
"""

import logging
import multiprocessing
import sys

import logflume


def configure() -> None:
    """Run in each process."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(processName)s %(message)s", force=True)
    logflume.setup_logging_queue(accelerate=True)


def work(task: int) -> int:
    logging.info("task %d done", task)
    return task


if __name__ == "__main__":
    configure()
    with multiprocessing.get_context("spawn").Pool(2, initializer=configure) as pool:
        pool.map(work, range(100))
        pool.close()
        pool.join()  # without it the block's end kills the workers, and what they have queued is lost
    logging.info("%d tasks done", 100)
