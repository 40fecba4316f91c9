"""From a batch to what one handler writes, for both cores."""
