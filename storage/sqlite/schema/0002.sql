-- Credentials can expire since recovery codes are among them.
CREATE INDEX credentials_expires ON credentials (expires);

CREATE TABLE links (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX links_expires ON links (expires);
