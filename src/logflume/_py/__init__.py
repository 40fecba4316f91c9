"""The pure core: for each compiled module that the rest of the package uses, a twin that behaves the same."""
