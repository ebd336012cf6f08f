-- Reading. The columns of a lead with its live run are the same in all of these: read_lead.c knows their order.

-- name: read_lead
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain, b.wrapped, b.sealed
FROM lead l LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
    JOIN body b ON b.tenant = l.tenant AND b.lead = l.lead
WHERE l.tenant = ?1 AND l.lead = ?2

-- name: list_up
-- Leads behind ?2, oldest first.
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM lead l LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
WHERE l.tenant = ?1 AND l.lead > ?2
ORDER BY l.lead LIMIT ?3

-- name: list_down
-- Leads before ?2, newest first.
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM lead l LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
WHERE l.tenant = ?1 AND l.lead < ?2
ORDER BY l.lead DESC LIMIT ?3

-- name: list_dead_up
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM run r JOIN lead l ON l.tenant = r.tenant AND l.lead = r.lead
WHERE r.tenant = ?1 AND r.status = 3 AND r.lead > ?2
ORDER BY r.lead LIMIT ?3

-- name: list_dead_down
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM run r JOIN lead l ON l.tenant = r.tenant AND l.lead = r.lead
WHERE r.tenant = ?1 AND r.status = 3 AND r.lead < ?2
ORDER BY r.lead DESC LIMIT ?3

-- name: list_email
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM lead l LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
WHERE l.tenant = ?1 AND l.email = ?2
ORDER BY l.lead LIMIT ?3

-- name: scored_since
-- Behind the moment ?2 and, at that moment, behind the lead ?3.
SELECT l.tenant, l.lead, l.source, l.state, s.outcome, l.received_ms, l.state_ms, s.gen, s.tier, s.probability, s.low, s.high,
       s.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM score s JOIN lead l ON l.tenant = s.tenant AND l.lead = s.lead
    LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
WHERE s.tenant = ?1 AND s.scored_ms >= ?2 AND (s.scored_ms > ?2 OR s.lead > ?3)
ORDER BY s.scored_ms, s.lead LIMIT ?4

-- name: lost
-- A page of all leads behind (?1, ?2): those accepted before ?3 whose newest passage has no end and no run.
SELECT l.tenant, l.lead, l.source, l.state, l.outcome, l.received_ms, l.state_ms, l.gen, l.tier, l.probability, l.low, l.high,
       l.scored_ms, r.status, r.gen, r.attempt, r.run_ms, r.stage, r.fence, r.worker, r.slug, r.reason, r.cause, r.pins,
       l.email, l.domain
FROM lead l LEFT JOIN run r ON r.tenant = l.tenant AND r.lead = l.lead
WHERE (l.tenant, l.lead) > (?1, ?2) AND l.received_ms < ?3 AND l.outcome = 0 AND r.lead IS NULL
ORDER BY l.tenant, l.lead LIMIT ?4

-- name: read_scores
SELECT gen, scored_ms, accepted_ms, attempt, fence, outcome, tier, probability, low, high, cause, pins, timing, sealed
FROM score WHERE tenant = ?1 AND lead = ?2 ORDER BY gen

-- name: read_history
SELECT at_ms, gen, path, cause, actor FROM history WHERE tenant = ?1 AND lead = ?2 ORDER BY at_ms, gen, path

-- name: read_deliveries
SELECT target, gen, status, attempt, run_ms, created_ms, done_ms, slug, reason FROM delivery
WHERE tenant = ?1 AND lead = ?2 ORDER BY gen, target

-- name: read_asks
SELECT name, gen, status, attempt, asked_ms, answered_ms, price_micro, slug FROM ask
WHERE tenant = ?1 AND lead = ?2 ORDER BY gen, asked_ms, name

-- name: lead_exists
SELECT 1 FROM lead WHERE tenant = ?1 AND lead = ?2

-- name: read_queue
SELECT tenant, status, stage, worker, slug, count(*), min(CASE WHEN status = 2 THEN run_ms ELSE due END) FROM run
GROUP BY tenant, status, stage, worker, slug ORDER BY tenant, status, stage LIMIT 10000

-- name: read_backlog
SELECT t.tenant, (SELECT count(*) FROM run r WHERE r.tenant = t.tenant AND r.status < 3), t.weight, t.max_backlog,
       t.max_running
FROM tenant t ORDER BY t.tenant

-- name: read_next_due
-- In how many ms something is to be claimed: ?1 with questions, ?2 with deliveries (of which many are due in any case).
SELECT min(at) - $now FROM (
    SELECT 0 AS at WHERE EXISTS (SELECT 1 FROM run r WHERE r.status = 0 AND r.suspect = 0)
    UNION ALL SELECT 0 WHERE EXISTS (SELECT 1 FROM run r WHERE r.status = 0 AND r.suspect = 1)
    UNION ALL SELECT min(run_ms) FROM run WHERE status = 2
    UNION ALL SELECT min(run_ms) FROM ask WHERE status = 0 AND CAST(?1 AS BIGINT) = 1
    UNION ALL SELECT CASE WHEN count(*) = 1000 THEN 0 ELSE min(run_ms) END FROM (
        SELECT run_ms FROM delivery WHERE status IN (0, 2) AND CAST(?2 AS BIGINT) = 1 LIMIT 1000) d) w
