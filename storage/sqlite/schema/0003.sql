CREATE TABLE webhooks (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;

CREATE TABLE deliveries (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "webhook" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX deliveries_webhook ON deliveries (tenant, "webhook", id);
CREATE INDEX deliveries_expires ON deliveries (expires);

CREATE TABLE due_deliveries (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX due_deliveries_expires ON due_deliveries (expires);
