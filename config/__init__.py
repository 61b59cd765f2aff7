"""CHOOSE: what holds for this process, this supplier and this run."""
