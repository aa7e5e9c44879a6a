-- The desk: what a caseworker says of a submission and of a client.

ALTER TABLE submissions ADD COLUMN stage TEXT NOT NULL DEFAULT 'new' CHECK (stage IN ('new', 'open', 'waiting')); -- counts while handled is 0
ALTER TABLE submissions ADD COLUMN assigned TEXT NOT NULL DEFAULT '';    -- to a staff account
ALTER TABLE submissions ADD COLUMN turn_at BIGINT NOT NULL DEFAULT 0;    -- the client answered, so that it is the office's turn again
ALTER TABLE submissions ADD COLUMN news_at BIGINT NOT NULL DEFAULT 0;    -- the last that came of the client beside pages
ALTER TABLE submissions ADD COLUMN sealed_case BYTES;                    -- the case number, sealed to the office
ALTER TABLE submissions ADD COLUMN case_index BYTES;                     -- its keyed hash
ALTER TABLE submissions ADD COLUMN reference TEXT NOT NULL DEFAULT '';   -- follows from the identifier
ALTER TABLE submissions ADD COLUMN merged_into TEXT NOT NULL DEFAULT ''; -- where everything of this one is now
CREATE INDEX submissions_stage ON submissions (office, stage, arrived_at, id) WHERE arrived_at > 0 AND handled = 0;
CREATE INDEX submissions_assigned ON submissions (assigned, office, handled, arrived_at, id) WHERE arrived_at > 0 AND assigned <> '';
CREATE INDEX submissions_sender ON submissions (office, sender, opened_at);
CREATE INDEX submissions_case ON submissions (office, case_index) WHERE case_index IS NOT NULL;
CREATE INDEX submissions_reference ON submissions (office, reference);
CREATE INDEX submissions_merged ON submissions (merged_into) WHERE merged_into <> '';

-- The submission that a page was sent to, if it was moved since: its object
-- stays in that one's folder, and its sender finds it there.
ALTER TABLE pages ADD COLUMN home TEXT NOT NULL DEFAULT '';
CREATE INDEX pages_home ON pages (home) WHERE home <> '';

-- What staff call a phone: known again with the next submission.
CREATE TABLE clients (
    office      TEXT   NOT NULL,
    sender      BYTES  NOT NULL,
    sealed_name BYTES  NOT NULL, -- empty if it was taken back
    named_by    TEXT   NOT NULL,
    named_at    BIGINT NOT NULL,
    PRIMARY KEY (office, sender)
);

-- Notes by staff, sealed to the office.
CREATE TABLE remarks (
    id         TEXT   NOT NULL PRIMARY KEY,
    office     TEXT   NOT NULL,
    submission TEXT   NOT NULL REFERENCES submissions (id),
    staff      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    sealed     BYTES  NOT NULL
);
CREATE INDEX remarks_submission ON remarks (submission, at);

-- When somebody looked at a submission: what came later is new to them.
CREATE TABLE looks (
    staff      TEXT   NOT NULL,
    submission TEXT   NOT NULL,
    first_at   BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (staff, submission)
);
CREATE INDEX looks_submission ON looks (submission, first_at);

-- Counts what changes an office's lists, so that every process that shows
-- them sees cheaply that it is time to read them again.
CREATE TABLE desk_changes (
    office TEXT   NOT NULL PRIMARY KEY,
    n      BIGINT NOT NULL
);

-- A client's thread.
CREATE INDEX sendings_sender ON sendings (office, sender, created_at);
