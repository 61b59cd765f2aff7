"""DELIVER. Composition root, home of arq and redis."""
