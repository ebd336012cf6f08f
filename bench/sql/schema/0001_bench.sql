-- What bench/store_writer.c writes: the shape of the pipeline's tables.
CREATE TABLE lead (tenant BIGINT NOT NULL, id BIGINT NOT NULL, state BIGINT NOT NULL, received_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID;
CREATE TABLE body (tenant BIGINT NOT NULL, id BIGINT NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE run (tenant BIGINT NOT NULL, id BIGINT NOT NULL, stage BIGINT NOT NULL, fence BIGINT NOT NULL, worker BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID;
CREATE TABLE result (tenant BIGINT NOT NULL, id BIGINT NOT NULL, stage BIGINT NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE delivery (tenant BIGINT NOT NULL, id BIGINT NOT NULL, due_ms BIGINT NOT NULL, PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID;
-- @postgres
ALTER TABLE body ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE run SET (fillfactor = 70);
ALTER TABLE lead SET (fillfactor = 85);
