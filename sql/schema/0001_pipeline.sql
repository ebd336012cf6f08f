-- The durable pipeline. Tenant first in every key; times are milliseconds since 1970 UTC; what is personal is sealed (BLOB).
-- Small rows that are looked up by key are clustered (WITHOUT ROWID); rows with a sealed body are not: they append.

-- A customer organisation, with its wrapped key (docs/adr/0005).
CREATE TABLE tenant (
    tenant      TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    wrapped_key BLOB   NOT NULL,
    weight      BIGINT NOT NULL DEFAULT 1,
    max_backlog BIGINT NOT NULL DEFAULT 0, -- live runs; 0: the default of the configuration
    max_running BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant)
) -- @sqlite: STRICT, WITHOUT ROWID
;

-- What SQL may know of a lead. `gen` counts its passages through the pipeline.
CREATE TABLE lead (
    tenant       TEXT   NOT NULL,
    lead         TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    external     TEXT   NOT NULL, -- keyed hash of the id it has at its source; '' when it has none
    content      BLOB   NOT NULL, -- keyed hash of the body as it came
    email        BLOB,            -- blind indexes
    domain       BLOB,
    received_ms  BIGINT NOT NULL,
    state        BIGINT NOT NULL, -- enum lead_state
    state_ms     BIGINT NOT NULL,
    gen          BIGINT NOT NULL,
    outcome      BIGINT NOT NULL DEFAULT 0, -- enum run_outcome of the last passage that ended
    tier         BIGINT,
    probability  REAL,
    low          REAL,
    high         REAL,
    scored_ms    BIGINT,
    rescore_ms   BIGINT, -- when a timer scores it again
    PRIMARY KEY (tenant, lead)
) -- @sqlite: STRICT, WITHOUT ROWID
;
CREATE UNIQUE INDEX lead_origin ON lead (tenant, source, external, content);
CREATE INDEX lead_email ON lead (tenant, email) WHERE email IS NOT NULL;
CREATE INDEX lead_rescore ON lead (rescore_ms) WHERE rescore_ms IS NOT NULL;

-- The data key of a lead, wrapped by its tenant's. Erasing a person removes this row and nothing can be read any more.
CREATE TABLE lead_key (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    key_version BIGINT NOT NULL,
    wrapped_key BLOB   NOT NULL,
    PRIMARY KEY (tenant, lead)
) -- @sqlite: STRICT, WITHOUT ROWID
;

-- The body as it was accepted, sealed.
CREATE TABLE body (
    tenant TEXT NOT NULL,
    lead   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (tenant, lead)
) -- @sqlite: STRICT
;

-- The runs that are alive: ready, leased, waiting or dead. A run that ends leaves this table in the transaction that writes
-- its score. Hot and narrow.
CREATE TABLE run (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    gen         BIGINT NOT NULL,
    status      BIGINT NOT NULL, -- enum run_status
    priority    BIGINT NOT NULL, -- enum run_priority
    run_ms      BIGINT NOT NULL, -- not before
    due         BIGINT NOT NULL, -- the order of claims: run_ms plus what its class waits longer; so all age
    deadline_ms BIGINT NOT NULL, -- score with what has arrived
    stage       BIGINT NOT NULL, -- the first stage that is not done
    attempt     BIGINT NOT NULL,
    crash       BIGINT NOT NULL DEFAULT 0, -- workers that died while this run alone was theirs
    suspect     BIGINT NOT NULL DEFAULT 0, -- a worker died that held it
    fence       BIGINT NOT NULL,
    worker      TEXT,                      -- that leases it
    accepted_ms BIGINT NOT NULL,
    cause       TEXT   NOT NULL, -- accepted, rescore by hand, timer, ...
    pins        TEXT   NOT NULL, -- versions of model, profile and program
    slug        TEXT,            -- of the last failure
    reason      TEXT,            -- and its sentence, without personal data
    PRIMARY KEY (tenant, lead)
) -- @sqlite: STRICT, WITHOUT ROWID
  -- @postgres: PARTITION BY HASH (tenant)
;
-- @postgres: CREATE TABLE run_0 PARTITION OF run FOR VALUES WITH (MODULUS 4, REMAINDER 0) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
-- @postgres: CREATE TABLE run_1 PARTITION OF run FOR VALUES WITH (MODULUS 4, REMAINDER 1) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
-- @postgres: CREATE TABLE run_2 PARTITION OF run FOR VALUES WITH (MODULUS 4, REMAINDER 2) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
-- @postgres: CREATE TABLE run_3 PARTITION OF run FOR VALUES WITH (MODULUS 4, REMAINDER 3) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX run_ready ON run (tenant, due) WHERE status = 0;
CREATE INDEX run_leased ON run (worker) WHERE status = 1;
CREATE INDEX run_waiting ON run (run_ms) WHERE status = 2;
CREATE INDEX run_dead ON run (tenant, lead) WHERE status = 3;

-- The processes that hold leases. A lease lasts as long as its worker's row says.
CREATE TABLE worker (
    worker   TEXT   NOT NULL,
    host     TEXT   NOT NULL,
    pid      BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (worker)
) -- @sqlite: STRICT
;

-- What a run asked the world, and what it was told: never asked twice.
CREATE TABLE ask (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    gen         BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    status      BIGINT NOT NULL, -- enum ask_status
    attempt     BIGINT NOT NULL,
    run_ms      BIGINT NOT NULL,
    worker      TEXT,
    request     BLOB   NOT NULL,
    answer      BLOB,
    price_micro BIGINT,
    asked_ms    BIGINT NOT NULL,
    answered_ms BIGINT,
    slug        TEXT,
    PRIMARY KEY (tenant, lead, gen, name)
) -- @sqlite: STRICT
;
CREATE INDEX ask_open ON ask (run_ms) WHERE status = 0;
CREATE INDEX ask_sent ON ask (worker) WHERE status = 1;

-- One row for each passage that ended: the score with the snapshot it was made from, never changed.
CREATE TABLE score (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    gen         BIGINT NOT NULL,
    scored_ms   BIGINT NOT NULL,
    accepted_ms BIGINT NOT NULL,
    outcome     BIGINT NOT NULL,
    tier        BIGINT,
    probability REAL,
    low         REAL,
    high        REAL,
    attempt     BIGINT NOT NULL,
    fence       BIGINT NOT NULL,
    cause       TEXT   NOT NULL,
    pins        TEXT   NOT NULL,
    timing      TEXT   NOT NULL, -- microseconds by stage, a JSON object
    sealed      BLOB   NOT NULL, -- facts, contributions, reasons
    PRIMARY KEY (tenant, lead, gen)
) -- @sqlite: STRICT
;
CREATE INDEX score_time ON score (tenant, scored_ms);

-- Every change of a lead's state, with its cause and who caused it. A commit that takes several steps writes them as one path.
CREATE TABLE history (
    tenant TEXT   NOT NULL,
    lead   TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    gen    BIGINT NOT NULL,
    path   TEXT   NOT NULL, -- "ingested>pending_enrichment>pending_scoring"
    cause  TEXT   NOT NULL,
    actor  TEXT   NOT NULL,
    PRIMARY KEY (tenant, lead, at_ms, path)
) -- @sqlite: STRICT, WITHOUT ROWID
;

-- Promised outside effects, committed with the score.
CREATE TABLE delivery (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    gen         BIGINT NOT NULL,
    target      TEXT   NOT NULL,
    status      BIGINT NOT NULL, -- enum delivery_status
    run_ms      BIGINT NOT NULL,
    attempt     BIGINT NOT NULL,
    fence       BIGINT NOT NULL,
    worker      TEXT,
    created_ms  BIGINT NOT NULL,
    done_ms     BIGINT,
    slug        TEXT,
    reason      TEXT,
    PRIMARY KEY (tenant, lead, target, gen)
) -- @sqlite: STRICT, WITHOUT ROWID
;
CREATE INDEX delivery_ready ON delivery (tenant, run_ms) WHERE status IN (0, 2);
CREATE INDEX delivery_leased ON delivery (worker) WHERE status = 1;
CREATE INDEX delivery_dead ON delivery (tenant, lead) WHERE status = 4;

-- What became of a lead.
CREATE TABLE outcome (
    tenant      TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    recorded_ms BIGINT NOT NULL,
    actor       TEXT   NOT NULL,
    sealed      BLOB,
    PRIMARY KEY (tenant, lead, at_ms, kind)
) -- @sqlite: STRICT
;

-- Answers by Idempotency-Key.
CREATE TABLE idempotency (
    tenant     TEXT   NOT NULL,
    key        BLOB   NOT NULL, -- keyed hash
    request    BLOB   NOT NULL, -- keyed hash of the body it came with
    response   TEXT   NOT NULL, -- identifiers only
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
) -- @sqlite: STRICT
;
CREATE INDEX idempotency_expires ON idempotency (expires_ms);

-- Bearer keys, by the hash of their token.
CREATE TABLE api_key (
    tenant     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    hash       BLOB   NOT NULL,
    name       TEXT   NOT NULL,
    hint       TEXT   NOT NULL, -- the first characters of the token
    scopes     BIGINT NOT NULL,
    rate       REAL   NOT NULL, -- requests a second; 0: no limit
    burst      REAL   NOT NULL,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT,
    PRIMARY KEY (tenant, id)
) -- @sqlite: STRICT
;
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);

-- Models, profiles and schemas that runs are pinned to, by their SHA-256.
CREATE TABLE artifact (
    tenant     TEXT   NOT NULL, -- '' for all
    kind       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    content    BLOB   NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) -- @sqlite: STRICT
;

-- What people and programs did that others may want to check: append-only, chained by hash (store/audit.h).
CREATE TABLE audit (
    tenant  TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    at_ms   BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    hash    BLOB   NOT NULL,
    PRIMARY KEY (tenant, seq)
) -- @sqlite: STRICT
;
