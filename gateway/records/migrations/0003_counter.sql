-- What clients say they do not have, the order of their pages, and links that
-- are shown at the desk instead of being texted.

-- A CHECK cannot be changed in place.
CREATE TABLE links_next (
    id          TEXT    NOT NULL PRIMARY KEY,
    nonce       BYTES   NOT NULL,
    hash        BYTES   NOT NULL UNIQUE, -- SHA-256 of the token
    office      TEXT    NOT NULL,
    number      TEXT    NOT NULL,
    sender      BYTES   NOT NULL, -- zero if it is shown at the desk
    phone       BYTES   NOT NULL, -- sealed; empty if it is shown at the desk
    submission  TEXT    NOT NULL, -- its row begins with the first claim
    language    TEXT    NOT NULL,
    origin      TEXT    NOT NULL CHECK (origin IN ('text', 'request', 'staff', 'counter')),
    issued_at   BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('issued', 'claimed', 'closed', 'superseded')),
    browser     BYTES   NOT NULL, -- SHA-256 of the cookie's secret; empty until the claim
    claimed_at  BIGINT  NOT NULL,
    idle_at     BIGINT  NOT NULL,
    ends_at     BIGINT  NOT NULL,
    reminded_at BIGINT  NOT NULL DEFAULT 0,
    again_at    BIGINT  NOT NULL DEFAULT 0, -- a new link was texted instead, last
    again_count INTEGER NOT NULL DEFAULT 0  -- and how often
);
INSERT INTO links_next (id, nonce, hash, office, number, sender, phone, submission, language, origin, issued_at,
    expires_at, state, browser, claimed_at, idle_at, ends_at, reminded_at, again_at, again_count)
SELECT id, nonce, hash, office, number, sender, phone, submission, language, origin, issued_at,
    expires_at, state, browser, claimed_at, idle_at, ends_at, reminded_at, again_at, again_count FROM links;
DROP TABLE links;
ALTER TABLE links_next RENAME TO links;
CREATE INDEX links_submission ON links (submission);

-- Who made a link at the desk, and for whom.
CREATE TABLE counters (
    link        TEXT  NOT NULL PRIMARY KEY REFERENCES links (id),
    staff       TEXT  NOT NULL,
    sealed_name BYTES NOT NULL -- empty if no name was given
);

ALTER TABLE submissions ADD COLUMN lacks INTEGER NOT NULL DEFAULT 0; -- rows of the table lacks
ALTER TABLE submissions ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- staff or counter; else empty
ALTER TABLE submissions ADD COLUMN staff TEXT NOT NULL DEFAULT '';   -- who made the link at the desk

-- Asks of the office that a client has no paper for. A submission with nothing
-- but these has arrived too.
CREATE TABLE lacks (
    submission TEXT   NOT NULL REFERENCES submissions (id),
    ask        TEXT   NOT NULL,
    reason     TEXT   NOT NULL CHECK (reason IN ('cannot', 'help', 'remind')),
    at         BIGINT NOT NULL,
    PRIMARY KEY (submission, ask)
);

ALTER TABLE pages ADD COLUMN place INTEGER NOT NULL DEFAULT 0; -- from 1 in the client's order; 0 behind these

-- Pages that their sender took back before they had arrived: they are not taken.
CREATE TABLE taken_back (
    submission TEXT NOT NULL REFERENCES submissions (id),
    page_key   TEXT NOT NULL,
    PRIMARY KEY (submission, page_key)
);
