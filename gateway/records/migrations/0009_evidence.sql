-- Evidence and figures.

-- The view of the audit trail, newest first: of an office, of a person, of a
-- thing, of a kind, and what was refused. Only the first two are written with
-- every text; both grow at their end, since identifiers begin with the time.
CREATE INDEX audit_office ON audit (office, at, chain, seq);
CREATE INDEX audit_object ON audit (object, at) WHERE object <> '';
CREATE INDEX audit_actor ON audit (actor, at, chain, seq) WHERE actor <> 'client';
CREATE INDEX audit_action ON audit (action, at, chain, seq) WHERE action <> 'link.issued';
CREATE INDEX audit_refused ON audit (at, chain, seq) WHERE outcome <> 'done';

-- Which keys an office's pages were sealed to, and when.
CREATE TABLE office_keys (
    office      TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL, -- hex of SHA-256 of the recipient
    since       BIGINT NOT NULL, -- 0: before it was recorded
    until       BIGINT NOT NULL, -- 0: in use
    PRIMARY KEY (office, fingerprint, since)
);

-- What each role was configured with at its last start: by key of the file, a
-- keyed hash of what stood there.
CREATE TABLE configurations (
    role    TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    digests TEXT   NOT NULL -- a JSON object
);

-- Counts by office and week. They hold nothing of anybody, and stay when what
-- was counted is erased.
CREATE TABLE figures (
    office        TEXT    NOT NULL,
    week          TEXT    NOT NULL, -- its Monday in the office's time zone, as 2026-11-23
    texts         INTEGER NOT NULL,
    links         INTEGER NOT NULL, -- issued, and not replaced by a newer one before they were used
    used          INTEGER NOT NULL, -- of these, opened by a tap
    brought       INTEGER NOT NULL, -- of these, with something in their submission
    timed         INTEGER NOT NULL, -- of these, begun by a text and with a first page: what the times are of
    first_median  BIGINT  NOT NULL, -- ms from the text to the first page
    first_p90     BIGINT  NOT NULL,
    pages         INTEGER NOT NULL,
    removed       INTEGER NOT NULL, -- of these, taken back by the client
    retakes       INTEGER NOT NULL, -- links that asked for one page again
    waiting       INTEGER NOT NULL, -- submissions not marked done, when the week was last counted
    waiting_ms    BIGINT  NOT NULL, -- the median of how long they waited by then
    oldest_ms     BIGINT  NOT NULL,
    counted_at    BIGINT  NOT NULL,
    PRIMARY KEY (office, week)
);
