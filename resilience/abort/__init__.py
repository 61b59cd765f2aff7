"""Policies of stopping a run."""
