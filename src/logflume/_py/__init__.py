"""The pure twins of the compiled rooms."""
