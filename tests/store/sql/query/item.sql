-- name: item_add
-- One item; a taken id or name is a conflict.
INSERT INTO item(tenant, id, name, weight, body) VALUES (?1, ?2, ?3, ?4, ?5)

-- name: item_offer
-- One item, unless its id or name is taken.
INSERT INTO item(tenant, id, name, weight, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING
-- @postgres_many
WITH given AS (SELECT * FROM $rows(BIGINT, BIGINT, TEXT, REAL, BLOB)),
added AS (INSERT INTO item(tenant, id, name, weight, body) SELECT p1, p2, p3, p4, p5 FROM given ORDER BY i
    ON CONFLICT DO NOTHING RETURNING tenant, id)
SELECT min(g.i) FROM given g JOIN added a ON a.tenant = g.p1 AND a.id = g.p2 GROUP BY g.p1, g.p2

-- name: item_count
SELECT count(*) FROM item WHERE tenant = ?1

-- name: item_list
SELECT id, name, weight, body FROM item WHERE tenant = ?1 ORDER BY name LIMIT ?2

-- name: item_take
-- Deletes the first items and returns them.
DELETE FROM item WHERE tenant = ?1 AND id IN (SELECT id FROM item WHERE tenant = ?1 ORDER BY id LIMIT ?2) RETURNING id

-- name: item_clear
DELETE FROM item
