-- The tables of the driver's tests.
CREATE TABLE item (
    tenant BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL, -- bytewise
    weight REAL,
    body BLOB,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
-- @postgres
ALTER TABLE item SET (fillfactor = 70);
-- @all
CREATE UNIQUE INDEX item_name ON item (tenant, name);
