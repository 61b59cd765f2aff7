"""Column types that several tables share."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, Numeric, text
from sqlalchemy.dialects.postgresql import CHAR, JSONB
from sqlalchemy.orm import mapped_column

UuidKey = Annotated[uuid.UUID, mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))]
BigKey = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=text("now()"))]
Amount = Annotated[Decimal, mapped_column(Numeric(18, 6))]
Currency = Annotated[str, mapped_column(CHAR(3))]
Sha256 = Annotated[str, mapped_column(CHAR(64))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
EmptyJson = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'::jsonb"))]
