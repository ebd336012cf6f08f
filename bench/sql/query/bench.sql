-- The statements of bench/store_writer.c: each twice, for arrays and for one row at a time.

-- name: lead_add
INSERT INTO lead(tenant, id, state, received_ms) VALUES (?1, ?2, 0, ?3)
-- @postgres_many
INSERT INTO lead(tenant, id, state, received_ms) SELECT p1, p2, 0, p3 FROM $rows(BIGINT, BIGINT, BIGINT)

-- name: body_add
INSERT INTO body(tenant, id, sealed) VALUES (?1, ?2, ?3)
-- @postgres_many
INSERT INTO body(tenant, id, sealed) SELECT p1, p2, p3 FROM $rows(BIGINT, BIGINT, BLOB)

-- name: run_add
INSERT INTO run(tenant, id, stage, fence, worker) VALUES (?1, ?2, 0, 1, 7)
-- @postgres_many
INSERT INTO run(tenant, id, stage, fence, worker) SELECT p1, p2, 0, 1, 7 FROM $rows(BIGINT, BIGINT)

-- name: run_move
UPDATE run SET stage = stage + 1 WHERE tenant = ?1 AND id = ?2 AND fence = ?3
-- @postgres_many
UPDATE run SET stage = stage + 1 FROM $rows(BIGINT, BIGINT, BIGINT) WHERE tenant = p1 AND id = p2 AND fence = p3 RETURNING i

-- name: result_add
INSERT INTO result(tenant, id, stage, sealed) VALUES (?1, ?2, ?3, ?4)
-- @postgres_many
INSERT INTO result(tenant, id, stage, sealed) SELECT p1, p2, p3, p4 FROM $rows(BIGINT, BIGINT, BIGINT, BLOB)

-- name: lead_state
UPDATE lead SET state = ?3 WHERE tenant = ?1 AND id = ?2
-- @postgres_many
UPDATE lead SET state = p3 FROM $rows(BIGINT, BIGINT, BIGINT) WHERE tenant = p1 AND id = p2 RETURNING i

-- name: delivery_add
INSERT INTO delivery(tenant, id, due_ms) VALUES (?1, ?2, ?3)
-- @postgres_many
INSERT INTO delivery(tenant, id, due_ms) SELECT p1, p2, p3 FROM $rows(BIGINT, BIGINT, BIGINT)

-- name: lead_add_single
INSERT INTO lead(tenant, id, state, received_ms) VALUES (?1, ?2, 0, ?3)

-- name: body_add_single
INSERT INTO body(tenant, id, sealed) VALUES (?1, ?2, ?3)

-- name: run_add_single
INSERT INTO run(tenant, id, stage, fence, worker) VALUES (?1, ?2, 0, 1, 7)

-- name: run_move_single
UPDATE run SET stage = stage + 1 WHERE tenant = ?1 AND id = ?2 AND fence = ?3

-- name: result_add_single
INSERT INTO result(tenant, id, stage, sealed) VALUES (?1, ?2, ?3, ?4)

-- name: lead_state_single
UPDATE lead SET state = ?3 WHERE tenant = ?1 AND id = ?2

-- name: delivery_add_single
INSERT INTO delivery(tenant, id, due_ms) VALUES (?1, ?2, ?3)
