-- Accepting leads: the idempotency key, the lead, its body and its run.

-- name: idempotency_take
-- One row changed: the key is ours. None: it was used before.
INSERT INTO idempotency (tenant, key, request, response, expires_ms) VALUES (?1, ?2, ?3, ?4, $now + ?5)
ON CONFLICT (tenant, key) DO UPDATE
SET request = excluded.request, response = excluded.response, expires_ms = excluded.expires_ms
WHERE idempotency.expires_ms <= $now

-- name: idempotency_find
SELECT request, response FROM idempotency WHERE tenant = ?1 AND key = ?2

-- name: idempotency_answer
UPDATE idempotency SET response = ?3 WHERE tenant = ?1 AND key = ?2

-- name: lead_add
-- No row changed: a lead of this origin is there already.
INSERT INTO lead (tenant, lead, source, origin, content, email, domain, received_ms, state, state_ms, gen)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, $now, 0, $now, 1)
ON CONFLICT (tenant, origin) DO NOTHING
-- @postgres_many
WITH r AS MATERIALIZED (SELECT * FROM $rows(TEXT, TEXT, TEXT, BLOB, BLOB, BLOB, BLOB)),
     added AS (INSERT INTO lead (tenant, lead, source, origin, content, email, domain, received_ms, state, state_ms, gen)
               SELECT p1, p2, p3, p4, p5, p6, p7, $now, 0, $now, 1 FROM r
               ON CONFLICT (tenant, origin) DO NOTHING RETURNING tenant, lead)
SELECT r.i FROM added JOIN r ON r.p1 = added.tenant AND r.p2 = added.lead

-- name: body_add
INSERT INTO body (tenant, lead, wrapped, sealed) VALUES (?1, ?2, ?3, ?4)
-- @postgres_many
WITH added AS (INSERT INTO body (tenant, lead, wrapped, sealed) SELECT p1, p2, p3, p4 FROM $rows(TEXT, TEXT, BLOB, BLOB))
SELECT 1 WHERE false

-- name: run_add
-- ?3 priority, ?4 run_ms, ?5 what its class waits longer, ?6 deadline, ?7 the worker that has it from birth or NULL,
-- ?8 cause, ?9 pins.
INSERT INTO run (tenant, lead, gen, status, priority, run_ms, due, deadline_ms, stage, attempt, fence, worker, accepted_ms,
                 cause, pins)
VALUES (?1, ?2, 1, CASE WHEN ?7 IS NOT NULL THEN 1 WHEN ?4 > $now THEN 2 ELSE 0 END, ?3, ?4,
        CASE WHEN ?4 > $now THEN ?4 ELSE $now END + ?5, ?6, 0, CASE WHEN ?7 IS NOT NULL THEN 1 ELSE 0 END,
        CASE WHEN ?7 IS NOT NULL THEN 1 ELSE 0 END, ?7, $now, ?8, ?9)
-- @postgres
INSERT INTO run (tenant, lead, gen, status, priority, run_ms, due, deadline_ms, stage, attempt, fence, worker, accepted_ms,
                 cause, pins)
VALUES (?1, ?2, 1, CASE WHEN ?7::text IS NOT NULL THEN 1 WHEN ?4::bigint > $now THEN 2 ELSE 0 END, ?3, ?4,
        greatest(?4::bigint, $now) + ?5::bigint, ?6, 0, CASE WHEN ?7::text IS NOT NULL THEN 1 ELSE 0 END,
        CASE WHEN ?7::text IS NOT NULL THEN 1 ELSE 0 END, ?7, $now, ?8, ?9)
-- @postgres_many
WITH added AS (
    INSERT INTO run (tenant, lead, gen, status, priority, run_ms, due, deadline_ms, stage, attempt, fence, worker,
                     accepted_ms, cause, pins)
    SELECT p1, p2, 1, CASE WHEN p7 IS NOT NULL THEN 1 WHEN p4 > $now THEN 2 ELSE 0 END, p3, p4,
           greatest(p4, $now) + p5, p6, 0, CASE WHEN p7 IS NOT NULL THEN 1 ELSE 0 END,
           CASE WHEN p7 IS NOT NULL THEN 1 ELSE 0 END, p7, $now, p8, p9
    FROM $rows(TEXT, TEXT, BIGINT, BIGINT, BIGINT, BIGINT, TEXT, TEXT, TEXT))
SELECT 1 WHERE false

-- name: lead_by_origin
SELECT lead, content, gen FROM lead WHERE tenant = ?1 AND origin = ?2

-- name: lead_lock_origin
SELECT l.lead, l.content, l.gen, l.state, b.wrapped FROM lead l JOIN body b ON b.tenant = l.tenant AND b.lead = l.lead
WHERE l.tenant = ?1 AND l.origin = ?2
-- @postgres
SELECT l.lead, l.content, l.gen, l.state, b.wrapped FROM lead l JOIN body b ON b.tenant = l.tenant AND b.lead = l.lead
WHERE l.tenant = ?1 AND l.origin = ?2 FOR UPDATE OF l

-- name: content_known
SELECT 1 FROM lead_content WHERE tenant = ?1 AND lead = ?2 AND content = ?3

-- name: content_add
INSERT INTO lead_content (tenant, lead, content) VALUES (?1, ?2, ?3) ON CONFLICT (tenant, lead, content) DO NOTHING

-- name: body_replace
UPDATE body SET sealed = ?3 WHERE tenant = ?1 AND lead = ?2

-- name: lead_replace
UPDATE lead SET content = ?3, email = ?4, domain = ?5 WHERE tenant = ?1 AND lead = ?2

-- name: run_supersede
-- The live run begins anew as the next generation; who works on the old one is stale.
UPDATE run SET gen = gen + 1, fence = fence + 1, status = 0, worker = NULL, stage = 0, attempt = 0, crash = 0, suspect = 0,
    priority = ?3, run_ms = $now, due = $now + ?4, deadline_ms = ?5, accepted_ms = $now, cause = ?6, pins = ?7,
    slug = NULL, reason = NULL
WHERE tenant = ?1 AND lead = ?2

-- name: run_next
-- A new passage of a lead that has no live run: ?3 generation, ?4 priority, ?5 what its class waits longer, ?6 deadline.
INSERT INTO run (tenant, lead, gen, status, priority, run_ms, due, deadline_ms, stage, attempt, fence, accepted_ms, cause, pins)
VALUES (?1, ?2, ?3, 0, ?4, $now, $now + ?5, ?6, 0, 0, 0, $now, ?7, ?8)
ON CONFLICT (tenant, lead) DO NOTHING

-- name: lead_next
UPDATE lead SET gen = gen + 1, outcome = 0, rescore_ms = NULL WHERE tenant = ?1 AND lead = ?2

-- name: ask_supersede
UPDATE ask SET status = 3, slug = 'superseded', worker = NULL WHERE tenant = ?1 AND lead = ?2 AND status IN (0, 1)
