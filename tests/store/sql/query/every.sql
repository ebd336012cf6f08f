-- name: every_add
INSERT INTO every(id, i, r, t, b) VALUES (?1, ?2, ?3, ?4, ?5)
-- @postgres_many
INSERT INTO every(id, i, r, t, b) SELECT p1, p2, p3, p4, p5 FROM $rows(BIGINT, BIGINT, REAL, TEXT, BLOB) ORDER BY i

-- name: every_get
SELECT i, r, t, b FROM every WHERE id = ?1

-- name: every_clear
DELETE FROM every

-- name: fenced_add
INSERT INTO fenced(id, fence) VALUES (?1, ?2)

-- name: fenced_move
-- Moves the fence of a row that still has the one we know.
UPDATE fenced SET fence = fence + 1, note = ?3 WHERE id = ?1 AND fence = ?2
-- @postgres_many
UPDATE fenced SET fence = fence + 1, note = p3 FROM $rows(BIGINT, BIGINT, TEXT) WHERE id = p1 AND fence = p2 RETURNING i

-- name: fenced_get
SELECT fence, note FROM fenced WHERE id = ?1

-- name: fenced_total
SELECT coalesce(sum(fence), 0), count(*), avg(fence), max(note) FROM fenced

-- name: fenced_clear
DELETE FROM fenced

-- name: clock
SELECT $now, $now, CAST(?1 AS BIGINT)

-- name: nap
-- Takes a while on the server.
SELECT ?1
-- @postgres
SELECT pg_sleep(CAST(?1 AS REAL))

-- name: fenced_last
-- The second column is 1 + the largest id: the number of rows when there are no gaps.
SELECT 0, coalesce(max(id) + 1, 0) FROM fenced
