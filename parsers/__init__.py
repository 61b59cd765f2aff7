"""READ. One format a file."""
