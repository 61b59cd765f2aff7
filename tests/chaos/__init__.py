"""Random faults, repeatable by their seed, over a real fleet; `make chaos`, `make soak`."""
