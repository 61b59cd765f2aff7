"""What can be seen: logs, events, redaction."""
