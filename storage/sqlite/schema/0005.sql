-- Tenants have logos.
CREATE TABLE logos (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX logos_expires ON logos (expires);
