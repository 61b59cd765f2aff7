"""Compares a list with the last one of its supplier: what changed is absorbed, or asked before anything is written."""
