-- What ends a lease. Every statement on run carries the fence: no row changed means that somebody else has the run.

-- name: run_end
DELETE FROM run WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND fence = ?4 AND status = 1
-- @postgres_many
DELETE FROM run USING $rows(TEXT, TEXT, BIGINT, BIGINT)
WHERE run.tenant = r.p1 AND run.lead = r.p2 AND run.gen = r.p3 AND run.fence = r.p4 AND run.status = 1 RETURNING r.i

-- name: lead_scored
-- ?3 the state before, ?4 after.
UPDATE lead SET state = ?4, state_ms = CASE WHEN ?3 = ?4 THEN state_ms ELSE $now END, outcome = ?5, tier = ?6,
    probability = ?7, low = ?8, high = ?9, scored_ms = ?10, rescore_ms = ?11
WHERE tenant = ?1 AND lead = ?2 AND state = ?3
-- @postgres
UPDATE lead SET state = ?4, state_ms = CASE WHEN ?3::bigint = ?4::bigint THEN state_ms ELSE $now END, outcome = ?5, tier = ?6,
    probability = ?7, low = ?8, high = ?9, scored_ms = ?10, rescore_ms = ?11
WHERE tenant = ?1 AND lead = ?2 AND state = ?3::bigint
-- @postgres_many
UPDATE lead SET state = r.p4, state_ms = CASE WHEN r.p3 = r.p4 THEN lead.state_ms ELSE $now END, outcome = r.p5, tier = r.p6,
    probability = r.p7, low = r.p8, high = r.p9, scored_ms = r.p10, rescore_ms = r.p11
FROM $rows(TEXT, TEXT, BIGINT, BIGINT, BIGINT, BIGINT, REAL, REAL, REAL, BIGINT, BIGINT)
WHERE lead.tenant = r.p1 AND lead.lead = r.p2 AND lead.state = r.p3 RETURNING r.i

-- name: lead_ended
-- A passage without a score leaves the last one as it is.
UPDATE lead SET state = ?4, state_ms = CASE WHEN ?3 = ?4 THEN state_ms ELSE $now END, outcome = ?5, rescore_ms = ?6
WHERE tenant = ?1 AND lead = ?2 AND state = ?3
-- @postgres
UPDATE lead SET state = ?4, state_ms = CASE WHEN ?3::bigint = ?4::bigint THEN state_ms ELSE $now END, outcome = ?5,
    rescore_ms = ?6
WHERE tenant = ?1 AND lead = ?2 AND state = ?3::bigint

-- name: score_add
INSERT INTO score (tenant, lead, gen, scored_ms, accepted_ms, outcome, tier, probability, low, high, attempt, fence, cause,
                   pins, timing, sealed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
-- @postgres_many
WITH added AS (
    INSERT INTO score (tenant, lead, gen, scored_ms, accepted_ms, outcome, tier, probability, low, high, attempt, fence,
                       cause, pins, timing, sealed)
    SELECT p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16
    FROM $rows(TEXT, TEXT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, REAL, REAL, REAL, BIGINT, BIGINT, TEXT, TEXT, TEXT, BLOB))
SELECT 1 WHERE false

-- name: history_add
INSERT INTO history (tenant, lead, at_ms, gen, path, cause, actor) VALUES (?1, ?2, $now, ?3, ?4, ?5, ?6)
ON CONFLICT (tenant, lead, at_ms, path) DO NOTHING
-- @postgres_many
WITH added AS (
    INSERT INTO history (tenant, lead, at_ms, gen, path, cause, actor)
    SELECT p1, p2, $now, p3, p4, p5, p6 FROM $rows(TEXT, TEXT, BIGINT, TEXT, TEXT, TEXT)
    ON CONFLICT (tenant, lead, at_ms, path) DO NOTHING)
SELECT 1 WHERE false

-- name: delivery_add
INSERT INTO delivery (tenant, lead, gen, target, status, run_ms, attempt, fence, created_ms)
VALUES (?1, ?2, ?3, ?4, 0, $now, 0, 0, $now) ON CONFLICT (tenant, lead, target, gen) DO NOTHING
-- @postgres_many
WITH added AS (
    INSERT INTO delivery (tenant, lead, gen, target, status, run_ms, attempt, fence, created_ms)
    SELECT p1, p2, p3, p4, 0, $now, 0, 0, $now FROM $rows(TEXT, TEXT, BIGINT, TEXT)
    ON CONFLICT (tenant, lead, target, gen) DO NOTHING)
SELECT 1 WHERE false

-- name: run_park
-- ?5 stage, ?6 how long it waits at most, ?7 until when at most or 0: then it goes on with what has arrived, so that time is
-- its deadline from now on. A run that survived its worker is no suspect.
UPDATE run SET status = 2, worker = NULL, stage = ?5, attempt = 0, suspect = 0, crash = 0,
    run_ms = CASE WHEN ?7 > 0 AND ?7 < $now + ?6 THEN ?7 ELSE $now + ?6 END,
    deadline_ms = CASE WHEN ?7 > 0 AND ?7 < $now + ?6 THEN ?7 ELSE $now + ?6 END
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND fence = ?4 AND status = 1
-- @postgres
UPDATE run SET status = 2, worker = NULL, stage = ?5, attempt = 0, suspect = 0, crash = 0,
    run_ms = CASE WHEN ?7::bigint > 0 THEN least(?7::bigint, $now + ?6::bigint) ELSE $now + ?6::bigint END,
    deadline_ms = CASE WHEN ?7::bigint > 0 THEN least(?7::bigint, $now + ?6::bigint) ELSE $now + ?6::bigint END
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND fence = ?4 AND status = 1

-- name: run_wake
-- The run is ready when it waits and none of its asks is open.
UPDATE run SET status = 0 WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND status = 2
  AND NOT EXISTS (SELECT 1 FROM ask a WHERE a.tenant = run.tenant AND a.lead = run.lead AND a.gen = run.gen
                  AND a.status IN (0, 1))

-- name: run_giveback
-- ?5 status, ?6 stage, ?7 delay, ?8 attempts to take back, ?9 slug, ?10 reason. Ready at once without a delay.
UPDATE run SET status = CASE WHEN ?5 = 0 AND ?7 > 0 THEN 2 ELSE ?5 END, worker = NULL, stage = ?6, run_ms = $now + ?7,
    attempt = attempt - ?8, suspect = 0, crash = 0, slug = ?9, reason = ?10
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND fence = ?4 AND status = 1
-- @postgres
UPDATE run SET status = CASE WHEN ?5::bigint = 0 AND ?7::bigint > 0 THEN 2 ELSE ?5::bigint END, worker = NULL, stage = ?6,
    run_ms = $now + ?7::bigint, attempt = attempt - ?8::bigint, suspect = 0, crash = 0, slug = ?9, reason = ?10
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 AND fence = ?4 AND status = 1

-- name: lead_failed
-- Its run is dead: failed, until somebody wakes it.
UPDATE lead SET outcome = 4 WHERE tenant = ?1 AND lead = ?2 AND gen = ?3
