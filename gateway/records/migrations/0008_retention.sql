-- Retention: what goes when, legal hold, tombstones; notices.

-- A submission that must not be erased. Its twin in the vault lets a reindex
-- find the hold again. What was released stays until the twin is gone too.
CREATE TABLE holds (
    submission  TEXT   NOT NULL PRIMARY KEY REFERENCES submissions (id),
    office      TEXT   NOT NULL,
    staff       TEXT   NOT NULL, -- who asked for it
    reason      TEXT   NOT NULL, -- gateway.HoldReason
    at          BIGINT NOT NULL,
    released_at BIGINT NOT NULL,
    stored_at   BIGINT NOT NULL  -- the vault says the same; 0 while it does not
);
CREATE INDEX holds_unstored ON holds (at) WHERE stored_at = 0;

-- Supervisors are warned of these unfinished submissions: they stand on the
-- desk's page of what goes. Nothing unfinished goes without such a row.
CREATE TABLE erasure_warnings (
    submission TEXT   NOT NULL PRIMARY KEY REFERENCES submissions (id),
    office     TEXT   NOT NULL,
    warned_at  BIGINT NOT NULL
);

-- What was erased, so that no restored backup brings it back. Rows go first,
-- together with this row; then the vault is emptied.
CREATE TABLE tombstones (
    submission TEXT   NOT NULL PRIMARY KEY,
    office     TEXT   NOT NULL,
    why        TEXT   NOT NULL, -- gateway.ErasureReason
    at         BIGINT NOT NULL,
    emptied_at BIGINT NOT NULL  -- nothing is left in the vault; 0 while there may be
);
CREATE INDEX tombstones_full ON tombstones (submission) WHERE emptied_at = 0;

-- What goes with a submission, and what nobody finished.
CREATE INDEX texts_of ON texts (submission) WHERE submission <> '';
CREATE INDEX texts_link ON texts (link) WHERE link <> '';
CREATE INDEX submissions_unfinished ON submissions (id) WHERE state = 'received' AND merged_into = '';
CREATE INDEX submissions_done ON submissions (office, handled_at) WHERE handled = 1;

-- When the retention last went through everything, and until when it rests
-- after its clock jumped.
CREATE TABLE retention_runs (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at    BIGINT  NOT NULL, -- the clock as it was last seen
    rests_till BIGINT  NOT NULL,
    done_at    BIGINT  NOT NULL  -- the last run that ended without a fault
);

-- Where the rest of a chain begins whose first rows are older than the audit
-- trail is kept. The seal is an HMAC, so that nobody without the key can pass
-- a deletion off as this.
CREATE TABLE audit_checkpoints (
    chain     TEXT   NOT NULL PRIMARY KEY,
    seq       BIGINT NOT NULL, -- of the last row that is gone
    mac       BYTES  NOT NULL, -- of that row
    first_at  BIGINT NOT NULL, -- of the chain's first row
    last_at   BIGINT NOT NULL, -- of the last row that is gone
    pruned_at BIGINT NOT NULL,
    seal      BYTES  NOT NULL
);

-- How a caseworker wants to be told. The address is the caseworker's own.
CREATE TABLE notice_settings (
    staff      TEXT    NOT NULL PRIMARY KEY,
    address    TEXT    NOT NULL, -- of e-mail; empty if none was given
    events     TEXT    NOT NULL, -- gateway.NoticeEvent, with commas between
    pace       TEXT    NOT NULL CHECK (pace IN ('off', 'now', 'hourly', 'daily')),
    daily_at   INTEGER NOT NULL, -- minutes after midnight in the office's time zone
    quiet_from INTEGER NOT NULL, -- likewise; no quiet hours if both are the same
    quiet_till INTEGER NOT NULL,
    changed_at BIGINT  NOT NULL
);

-- What somebody is to be told of, once. The audit trail is where it comes from.
CREATE TABLE notices (
    target  TEXT   NOT NULL, -- "staff:<id>", "urgent:<id>", or "hook:<office>/<name>"
    event   TEXT   NOT NULL,
    object  TEXT   NOT NULL, -- that it is about, as the audit trail names it
    office  TEXT   NOT NULL, -- empty of what is the person's own
    at      BIGINT NOT NULL,
    message TEXT   NOT NULL, -- that tells of it; empty while it waits
    PRIMARY KEY (target, event, object)
);
CREATE INDEX notices_waiting ON notices (target, at) WHERE message = '';

CREATE TABLE notice_messages (
    id           TEXT   NOT NULL PRIMARY KEY,
    target       TEXT   NOT NULL,
    counts       TEXT   NOT NULL, -- JSON: how many of which event at which office
    made_at      BIGINT NOT NULL,
    attempted_at BIGINT NOT NULL, -- being handed over; 0 before
    ended_at     BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'sent', 'refused', 'unknown'))
);
CREATE INDEX notice_messages_newest ON notice_messages (target, made_at);

CREATE TABLE notice_looks (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at BIGINT  NOT NULL -- the audit trail was read up to here
);
