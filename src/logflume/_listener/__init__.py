"""The parts of a listener, for both cores. None of them imports listener.py."""
