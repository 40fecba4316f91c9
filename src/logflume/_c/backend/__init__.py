"""From the queue to the bytes: runs in the listener's thread."""
