"""The compiled core. Its modules import each other and what both cores share, never the pure core."""
