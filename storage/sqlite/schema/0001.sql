-- One table a noun. doc is the record as JSON; beside it stand only the columns that queries ask for.
-- expires is in milliseconds since 1970, and the largest integer where a record never expires.
-- Measured before choosing: WITHOUT ROWID reads by key no faster, and SQLite then answers a question by field from the
-- primary key, past every record of the tenant; an index on an expression over doc makes an insert a fifth dearer.
-- Every index but those for sweeping starts with the tenant.

CREATE TABLE tenants (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;

CREATE TABLE users (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "type" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX users_type ON users (tenant, "type", id);

CREATE TABLE logins (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX logins_expires ON logins (expires);

CREATE TABLE credentials (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX credentials_user ON credentials (tenant, "user", id);

CREATE TABLE flows (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX flows_user ON flows (tenant, "user", id);
CREATE INDEX flows_expires ON flows (expires);

CREATE TABLE sessions (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX sessions_user ON sessions (tenant, "user", id);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE devices (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX devices_user ON devices (tenant, "user", id);
CREATE INDEX devices_expires ON devices (expires);

CREATE TABLE grants (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  "session" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX grants_user ON grants (tenant, "user", id);
CREATE INDEX grants_session ON grants (tenant, "session", id);
CREATE INDEX grants_expires ON grants (expires);

CREATE TABLE clients (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "owner" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX clients_owner ON clients (tenant, "owner", id);

CREATE TABLE signing_keys (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;

CREATE TABLE events (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  "user" TEXT NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX events_user ON events (tenant, "user", id);

CREATE TABLE counters (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX counters_expires ON counters (expires);

CREATE TABLE messages (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX messages_expires ON messages (expires);
