"""PROVE SPEED: generated rows, the limit and the peers beside which the loader is measured."""
