"""Policies of checkpoint."""
