"""Policies of retry."""
