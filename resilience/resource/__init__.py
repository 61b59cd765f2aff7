"""Policies of memory, disk and descriptors."""
