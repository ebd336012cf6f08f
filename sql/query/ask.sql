-- Questions to the world. status: 0 open, 1 sent, 2 answered, 3 failed.

-- name: ask_add
INSERT INTO ask (tenant, lead, gen, name, status, attempt, run_ms, request, asked_ms)
VALUES (?1, ?2, ?3, ?4, 0, 0, $now, ?5, $now) ON CONFLICT (tenant, lead, gen, name) DO NOTHING

-- name: ask_recover
UPDATE ask SET status = 0, worker = NULL, run_ms = $now
WHERE (tenant, lead, gen, name) IN (SELECT tenant, lead, gen, name FROM ask
                                    WHERE status = 1 AND worker NOT IN (SELECT worker FROM worker) LIMIT ?1)
-- @postgres
WITH silent AS MATERIALIZED (
    SELECT a.tenant, a.lead, a.gen, a.name FROM ask a
    WHERE a.status = 1 AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.worker = a.worker AND w.until_ms >= $now)
    LIMIT ?1 FOR UPDATE SKIP LOCKED)
UPDATE ask SET status = 0, worker = NULL, run_ms = $now FROM silent s
WHERE ask.tenant = s.tenant AND ask.lead = s.lead AND ask.gen = s.gen AND ask.name = s.name

-- name: ask_take
UPDATE ask SET status = 1, worker = ?2, attempt = attempt + 1
WHERE (tenant, lead, gen, name) IN (SELECT tenant, lead, gen, name FROM ask WHERE status = 0 AND run_ms <= $now
                                    ORDER BY run_ms LIMIT ?1)
RETURNING tenant, lead, gen, name, request, attempt, slug
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT tenant, lead, gen, name FROM ask WHERE status = 0 AND run_ms <= $now ORDER BY run_ms LIMIT ?1
    FOR UPDATE SKIP LOCKED)
UPDATE ask SET status = 1, worker = ?2, attempt = attempt + 1 FROM taken t
WHERE ask.tenant = t.tenant AND ask.lead = t.lead AND ask.gen = t.gen AND ask.name = t.name
RETURNING ask.tenant, ask.lead, ask.gen, ask.name, request, attempt, slug

-- name: ask_context
-- The key of the lead, until when its run waits, and whether it has ended.
SELECT b.wrapped, coalesce(r.deadline_ms, 0), CASE WHEN r.lead IS NULL THEN 1 ELSE 0 END FROM body b
LEFT JOIN run r ON r.tenant = b.tenant AND r.lead = b.lead AND r.gen = ?3
WHERE b.tenant = ?1 AND b.lead = ?2

-- name: ask_lock
-- Two answers for one run, one after the other: else neither would see that the other is there.
SELECT lead FROM run WHERE tenant = ?1 AND lead = ?2
-- @postgres
SELECT lead FROM run WHERE tenant = ?1 AND lead = ?2 FOR UPDATE

-- name: ask_close
-- ?5 status, ?6 delay, ?7 answer, ?8 price, ?9 slug, ?10 attempts to take back, ?11 who asked. An answer that is
-- there stays; who lost the question may answer it, not put it again; a wait leaves the last failure as it is.
UPDATE ask SET status = ?5, worker = NULL, run_ms = CASE WHEN ?6 > 0 THEN $now + ?6 ELSE run_ms END, answer = ?7,
    price_micro = coalesce(price_micro, 0) + ?8, slug = CASE WHEN ?10 > 0 THEN slug ELSE ?9 END, attempt = attempt - ?10,
    answered_ms = CASE WHEN ?5 = 0 THEN NULL ELSE $now END
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND name = ?4 AND status IN (0, 1) AND (?5 <> 0 OR worker = ?11)
-- @postgres
UPDATE ask SET status = ?5::bigint, worker = NULL, run_ms = CASE WHEN ?6::bigint > 0 THEN $now + ?6::bigint ELSE run_ms END,
    answer = ?7, price_micro = coalesce(price_micro, 0) + ?8::bigint,
    slug = CASE WHEN ?10::bigint > 0 THEN slug ELSE ?9 END, attempt = attempt - ?10::bigint,
    answered_ms = CASE WHEN ?5::bigint = 0 THEN NULL ELSE $now END
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND name = ?4 AND status IN (0, 1) AND (?5::bigint <> 0 OR worker = ?11)
