"""RUN. Orchestrates one task, knows no database and no queue."""
