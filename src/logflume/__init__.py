"""logflume: standard-library logging, cheap and non-blocking."""

__version__ = "0.1.0"
