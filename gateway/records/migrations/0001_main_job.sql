-- The main job: texts, links, submissions, pages, staff and the audit trail.
--
-- Every time is a BIGINT of Unix milliseconds; 0 means never. Identifiers are
-- those of gateway.NewID. BYTES and TEXT are replaced by what the database
-- calls them (see migrate.go): text is compared byte by byte in both.

-- What is known of a sender at one office. The row is what every writer that
-- concerns a sender locks first.
CREATE TABLE senders (
    office                 TEXT    NOT NULL,
    sender                 BYTES   NOT NULL, -- gateway.PhoneIndex
    language               TEXT    NOT NULL DEFAULT '',
    opted_out_at           BIGINT  NOT NULL DEFAULT 0,
    hour_start             BIGINT  NOT NULL DEFAULT 0,
    day_start              BIGINT  NOT NULL DEFAULT 0,
    hour_count             INTEGER NOT NULL DEFAULT 0,
    day_count              INTEGER NOT NULL DEFAULT 0,
    last_answer_at         BIGINT  NOT NULL DEFAULT 0,
    last_picture_answer_at BIGINT  NOT NULL DEFAULT 0,
    link                   TEXT    NOT NULL DEFAULT '',
    submission             TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (office, sender)
);

CREATE TABLE texts (
    id           TEXT    NOT NULL PRIMARY KEY,
    account_sid  TEXT    NOT NULL,
    message_sid  TEXT    NOT NULL,
    office       TEXT    NOT NULL,
    number       TEXT    NOT NULL,
    sender       BYTES   NOT NULL, -- empty if the sender is no phone
    phone        BYTES   NOT NULL, -- sealed
    received_at  BIGINT  NOT NULL,
    media_count  INTEGER NOT NULL,
    media        TEXT    NOT NULL CHECK (media IN ('none', 'not-kept')),
    reason       TEXT    NOT NULL,
    occasion     TEXT    NOT NULL, -- of the answer; empty in silence
    language     TEXT    NOT NULL,
    link         TEXT    NOT NULL, -- that went out with the answer; empty in silence
    answer_sid   TEXT    NOT NULL DEFAULT '',
    answer_state TEXT    NOT NULL DEFAULT '',
    answer_error INTEGER NOT NULL DEFAULT 0,
    answer_at    BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (account_sid, message_sid)
);

CREATE TABLE links (
    id         TEXT   NOT NULL PRIMARY KEY,
    nonce      BYTES  NOT NULL,
    hash       BYTES  NOT NULL UNIQUE, -- SHA-256 of the token
    office     TEXT   NOT NULL,
    number     TEXT   NOT NULL,
    sender     BYTES  NOT NULL,
    phone      BYTES  NOT NULL, -- sealed
    submission TEXT   NOT NULL, -- its row begins with the first claim
    language   TEXT   NOT NULL,
    origin     TEXT   NOT NULL CHECK (origin IN ('text', 'request')),
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('issued', 'claimed', 'closed', 'superseded')),
    browser    BYTES  NOT NULL, -- SHA-256 of the cookie's secret; empty until the claim
    claimed_at BIGINT NOT NULL,
    idle_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL
);
CREATE INDEX links_submission ON links (submission);

CREATE TABLE sendings (
    id         TEXT    NOT NULL PRIMARY KEY,
    link       TEXT    NOT NULL REFERENCES links (id),
    office     TEXT    NOT NULL,
    occasion   TEXT    NOT NULL,
    staff      TEXT    NOT NULL, -- empty if nobody asked
    state      TEXT    NOT NULL,
    sid        TEXT    NOT NULL,
    error_code INTEGER NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);
CREATE INDEX sendings_newest ON sendings (office, created_at, id);

CREATE TABLE submissions (
    id           TEXT    NOT NULL PRIMARY KEY,
    office       TEXT    NOT NULL,
    number       TEXT    NOT NULL,
    sender       BYTES   NOT NULL,
    phone        BYTES   NOT NULL, -- sealed
    language     TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('open', 'received', 'empty', 'handled')),
    unfinished   INTEGER NOT NULL, -- 1: ended by the clock
    opened_at    BIGINT  NOT NULL,
    arrived_at   BIGINT  NOT NULL, -- of the first page; 0 while there is none
    last_page_at BIGINT  NOT NULL,
    finished_at  BIGINT  NOT NULL,
    pages        INTEGER NOT NULL CHECK (pages >= 0), -- not removed
    bytes        BIGINT  NOT NULL CHECK (bytes >= 0), -- plain, of pages not removed
    sealed_name  BYTES   NOT NULL, -- empty if none was given
    handled      INTEGER NOT NULL, -- 1 exactly if state is 'handled'; leads the inbox's index
    handled_at   BIGINT  NOT NULL,
    handled_by   TEXT    NOT NULL,
    handled_as   TEXT    NOT NULL,
    handled_note TEXT    NOT NULL,
    archived_at  BIGINT  NOT NULL -- the manifest is in the vault; 0 while it is not
);
CREATE INDEX submissions_inbox ON submissions (office, handled, arrived_at, id) WHERE arrived_at > 0;
CREATE INDEX submissions_open ON submissions (id) WHERE state = 'open';
CREATE INDEX submissions_unarchived ON submissions (finished_at, id) WHERE archived_at = 0 AND state <> 'open';

CREATE TABLE pages (
    id           TEXT   NOT NULL PRIMARY KEY,
    submission   TEXT   NOT NULL REFERENCES submissions (id),
    page_key     TEXT   NOT NULL, -- chosen by the sender
    office       TEXT   NOT NULL,
    link         TEXT   NOT NULL, -- empty if a reindex could not tell
    blob         TEXT   NOT NULL UNIQUE, -- no page ever takes over another's object
    digest       BYTES  NOT NULL, -- SHA-256 of the sealed bytes
    same         BYTES  NOT NULL,
    sealed_bytes BIGINT NOT NULL,
    plain_bytes  BIGINT NOT NULL,
    sealing      TEXT   NOT NULL,
    label        TEXT   NOT NULL,
    received_at  BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL,
    UNIQUE (submission, page_key)
);

CREATE TABLE staff (
    id            TEXT   NOT NULL PRIMARY KEY,
    login         TEXT   NOT NULL UNIQUE,
    password_hash TEXT   NOT NULL,
    offices       TEXT   NOT NULL, -- JSON array of office keys
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT NOT NULL
);

CREATE TABLE audit (
    chain   TEXT   NOT NULL, -- one for each start of a process
    seq     BIGINT NOT NULL, -- from 1, without gaps
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    object  TEXT   NOT NULL,
    office  TEXT   NOT NULL,
    origin  TEXT   NOT NULL, -- network address, for staff only
    outcome TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    mac     BYTES  NOT NULL, -- HMAC-SHA-256 over the previous row's and this row
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_heads_lost ON audit (object) WHERE action = 'audit.head-lost';
