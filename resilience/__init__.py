"""DECIDE. Pure policies."""
