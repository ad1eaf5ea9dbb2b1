"""A team's channel can read what is said in the rooms of its incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("team_channel", sa.Column("mirror", sa.Boolean(), nullable=False, server_default=sa.false()))
