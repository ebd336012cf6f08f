-- A table that holds every type, and one whose rows are checked.
CREATE TABLE every (id BIGINT PRIMARY KEY, i BIGINT, r REAL, t TEXT, b BLOB) STRICT;
CREATE TABLE fenced (id BIGINT PRIMARY KEY, fence BIGINT NOT NULL CHECK (fence >= 0), note TEXT) STRICT;
