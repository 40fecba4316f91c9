"""From `logger.info()` to the queue: runs in the thread that logs."""
