-- Handing off: deliveries to partners and their receipts.

-- One row is one delivery, the queue of those that are due, and the receipt of
-- those that arrived.
CREATE TABLE deliveries (
    id           TEXT    NOT NULL PRIMARY KEY,
    submission   TEXT    NOT NULL REFERENCES submissions (id),
    office       TEXT    NOT NULL,
    staff        TEXT    NOT NULL, -- who asked
    pages        TEXT    NOT NULL, -- JSON array of the chosen pages' identifiers
    whole        INTEGER NOT NULL, -- how many pages there were, if of all others came another since; else 0
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'dropped')),
    fault        TEXT    NOT NULL, -- code of the last failure
    tries        INTEGER NOT NULL,
    asked_at     BIGINT  NOT NULL,
    due_at       BIGINT  NOT NULL, -- of the next try; while one is under way, when it counts as lost; 0 if none is to come
    leased       INTEGER NOT NULL DEFAULT 0, -- 1: a try is under way, until due_at
    delivered_at BIGINT  NOT NULL,
    files        INTEGER NOT NULL, -- that arrived
    sealed       BYTES   NOT NULL  -- each file's path, bytes and SHA-256, sealed to the office
);
CREATE INDEX deliveries_submission ON deliveries (submission, asked_at);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at > 0;
