"""REMEMBER. Home of SQLAlchemy and asyncpg."""
