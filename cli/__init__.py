"""ASK. The command line."""
