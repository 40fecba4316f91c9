"""The compiled rooms."""
