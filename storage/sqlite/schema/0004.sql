-- Lists and counts of users ask for more than their type. The new columns of users who are there already are filled by the
-- code that fills them for new ones, in the same transaction. "expires" stands at the end of the indexes that are counted
-- by, so that a count reads nothing but the index.
ALTER TABLE users ADD COLUMN "role" TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN "segment" TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN "account" TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN "name_key" TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN "surname_key" TEXT NOT NULL DEFAULT '';
CREATE INDEX users_role ON users (tenant, "role", id, expires);
CREATE INDEX users_segment ON users (tenant, "segment", id, expires);
CREATE INDEX users_account ON users (tenant, "account", id);
CREATE INDEX users_name_key ON users (tenant, "name_key", id);
CREATE INDEX users_surname_key ON users (tenant, "surname_key", id);

CREATE TABLE tallies (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX tallies_expires ON tallies (expires);

CREATE TABLE replies (
  tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE (tenant, id)
) STRICT;
CREATE INDEX replies_expires ON replies (expires);
