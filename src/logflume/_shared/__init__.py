"""What both cores use on both sides of the queue."""
