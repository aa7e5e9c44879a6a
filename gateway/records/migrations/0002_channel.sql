-- The channel: what is to be sealed and erased at Twilio, what Dropslot texts
-- by itself, and what it may spend on that.

-- A robot that answers every text of ours is known by its repeating itself.
ALTER TABLE senders ADD COLUMN last_words BIGINT NOT NULL DEFAULT 0;  -- keyed hash; 0 is none
ALTER TABLE senders ADD COLUMN same_words INTEGER NOT NULL DEFAULT 0; -- answers given to those words in a row

-- A text's row is its place in the queue: step says what is to be done next
-- at Twilio, due_at when. Whoever takes it on moves due_at to the end of a
-- lease; a row whose worker died comes due again by itself.
CREATE TABLE texts_next (
    id           TEXT    NOT NULL PRIMARY KEY,
    account_sid  TEXT    NOT NULL,
    message_sid  TEXT    NOT NULL,
    office       TEXT    NOT NULL,
    number       TEXT    NOT NULL,
    sender       BYTES   NOT NULL, -- empty if the sender is no phone
    phone        BYTES   NOT NULL, -- sealed
    submission   TEXT    NOT NULL, -- that its pictures and words belong to; empty while none is chosen
    received_at  BIGINT  NOT NULL,
    media_count  INTEGER NOT NULL, -- as the webhook said: at most ten
    media        TEXT    NOT NULL CHECK (media IN ('none', 'pending', 'sealed', 'partly', 'not-kept')),
    words        TEXT    NOT NULL CHECK (words IN ('pending', 'sealed', 'none', 'not-kept')),
    step         TEXT    NOT NULL CHECK (step IN ('collect', 'erase', 'done', 'dead')),
    due_at       BIGINT  NOT NULL, -- 0 when nothing is to be done
    taken_on_at  BIGINT  NOT NULL DEFAULT 0, -- asked for again; 0 if not since received_at
    tries        INTEGER NOT NULL DEFAULT 0, -- of this step
    fault        TEXT    NOT NULL DEFAULT '', -- the code of the last failure
    kept         INTEGER NOT NULL DEFAULT 0, -- pictures that were sealed
    refused      INTEGER NOT NULL DEFAULT 0, -- pictures that could not be kept, or that Twilio never listed
    told_at      BIGINT  NOT NULL DEFAULT 0, -- the client was told what became of the pictures
    erased_at    BIGINT  NOT NULL DEFAULT 0, -- words and pictures are gone at Twilio
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
-- What came before this version was not fetched; what of it still lies at
-- Twilio is erased now.
INSERT INTO texts_next (id, account_sid, message_sid, office, number, sender, phone, submission, received_at,
    media_count, media, words, step, due_at, reason, occasion, language, link, answer_sid, answer_state,
    answer_error, answer_at)
SELECT id, account_sid, message_sid, office, number, sender, phone, '', received_at,
    media_count, media, 'not-kept', 'erase', received_at, reason, occasion, language, link, answer_sid, answer_state,
    answer_error, answer_at FROM texts;
DROP TABLE texts;
ALTER TABLE texts_next RENAME TO texts;
CREATE INDEX texts_due ON texts (due_at, id) WHERE due_at > 0;
CREATE INDEX texts_submission ON texts (submission) WHERE media_count > 0;
CREATE INDEX texts_started ON texts (office, sender, received_at) WHERE reason = 'keyword-start';
CREATE INDEX texts_dead ON texts (id) WHERE step = 'dead';

-- Every text of ours that Twilio is known to hold, by its SID: an answer may
-- have gone out twice. Its words hold a link and are erased after delivery.
CREATE TABLE outgoing (
    sid         TEXT    NOT NULL PRIMARY KEY,
    office      TEXT    NOT NULL,
    number      TEXT    NOT NULL, -- that it was sent from
    text        TEXT    NOT NULL, -- that it answers, or empty
    sending     TEXT    NOT NULL, -- that it is, or empty
    learned_at  BIGINT  NOT NULL,
    step        TEXT    NOT NULL CHECK (step IN ('erase', 'done', 'dead')),
    due_at      BIGINT  NOT NULL,
    taken_on_at BIGINT  NOT NULL DEFAULT 0, -- asked for again; 0 if not since learned_at
    tries       INTEGER NOT NULL DEFAULT 0,
    fault       TEXT    NOT NULL DEFAULT '',
    erased_at   BIGINT  NOT NULL DEFAULT 0
);
INSERT INTO outgoing (sid, office, number, text, sending, learned_at, step, due_at)
SELECT answer_sid, office, number, id, '', answer_at, 'erase', received_at FROM texts WHERE answer_sid <> '';
CREATE INDEX outgoing_due ON outgoing (due_at, sid) WHERE due_at > 0;
CREATE INDEX outgoing_dead ON outgoing (sid) WHERE step = 'dead';

-- What a client wrote, sealed to the office.
CREATE TABLE notes (
    text       TEXT   NOT NULL PRIMARY KEY REFERENCES texts (id),
    office     TEXT   NOT NULL,
    sender     BYTES  NOT NULL,
    submission TEXT   NOT NULL, -- that the text named: empty, or of a link that may never be opened
    at         BIGINT NOT NULL,
    sealed     BYTES  NOT NULL
);
CREATE INDEX notes_submission ON notes (submission);
CREATE INDEX notes_sender ON notes (office, sender);

-- A text that Dropslot sends by itself. Its words are made when it is sent.
CREATE TABLE sendings_next (
    id           TEXT    NOT NULL PRIMARY KEY,
    link         TEXT    NOT NULL, -- that it carries; empty if none
    office       TEXT    NOT NULL,
    number       TEXT    NOT NULL, -- that it is sent from
    sender       BYTES   NOT NULL, -- whom it goes to
    phone        BYTES   NOT NULL, -- sealed
    submission   TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    occasion     TEXT    NOT NULL,
    count        INTEGER NOT NULL, -- of pages or pictures that it speaks of
    staff        TEXT    NOT NULL, -- empty if nobody asked
    state        TEXT    NOT NULL,
    sid          TEXT    NOT NULL,
    error_code   INTEGER NOT NULL,
    created_at   BIGINT  NOT NULL,
    attempted_at BIGINT  NOT NULL, -- handed to Twilio for the first time; 0 before
    updated_at   BIGINT  NOT NULL
);
-- No job sends what stood half way, and nobody knows how far it came.
INSERT INTO sendings_next (id, link, office, number, sender, phone, submission, language, occasion, count, staff,
    state, sid, error_code, created_at, attempted_at, updated_at)
SELECT s.id, s.link, s.office, l.number, l.sender, l.phone, l.submission, l.language, s.occasion, 0, s.staff,
    CASE WHEN s.state = 'sending' AND s.sid = '' THEN 'unknown' ELSE s.state END, s.sid, s.error_code, s.created_at,
    s.created_at, s.updated_at FROM sendings s JOIN links l ON l.id = s.link;
DROP TABLE sendings;
ALTER TABLE sendings_next RENAME TO sendings;
-- Their words hold links too.
INSERT INTO outgoing (sid, office, number, text, sending, learned_at, step, due_at)
SELECT sid, office, number, '', id, updated_at, 'erase', created_at FROM sendings WHERE sid <> ''
ON CONFLICT (sid) DO NOTHING;
CREATE INDEX sendings_newest ON sendings (office, created_at, id);
CREATE INDEX sendings_submission ON sendings (submission, created_at);
CREATE INDEX sendings_unknown ON sendings (created_at) WHERE state IN ('sending', 'unknown');

ALTER TABLE links ADD COLUMN reminded_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN again_at BIGINT NOT NULL DEFAULT 0;   -- a new link was texted instead, last
ALTER TABLE links ADD COLUMN again_count INTEGER NOT NULL DEFAULT 0; -- and how often

-- Texted pictures keep a submission open this long.
ALTER TABLE submissions ADD COLUMN texted_till BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pages ADD COLUMN text TEXT NOT NULL DEFAULT ''; -- that it came with; empty if by a link
CREATE UNIQUE INDEX pages_text ON pages (text, page_key) WHERE text <> '';

-- Pictures of a text that cannot be kept, by Twilio's SID: one that is neither
-- here nor a page was not looked at, and is not erased.
CREATE TABLE refused_pictures (
    text TEXT NOT NULL REFERENCES texts (id),
    sid  TEXT NOT NULL,
    PRIMARY KEY (text, sid)
);

-- What may be spent within a window of time: granted in blocks to processes,
-- which keep count themselves. A crash loses what is left of its block.
CREATE TABLE budgets (
    scope   TEXT   NOT NULL, -- "office:north" or "number:+15551230100"
    begins  BIGINT NOT NULL, -- of the window
    granted BIGINT NOT NULL, -- segments
    PRIMARY KEY (scope, begins)
);
