-- Named accounts: roles, second factors, invitations, sessions.

-- A JSON object: the roles by office. Before there were roles everybody was a
-- caseworker; an office's key holds nothing that JSON writes otherwise.
ALTER TABLE staff ADD COLUMN roles TEXT NOT NULL DEFAULT '{}';
UPDATE staff SET roles = '{' || SUBSTR(
    REPLACE(REPLACE(offices, ']', ':["caseworker"]}'), '","', '":["caseworker"],"'), 2) WHERE offices <> '[]';
ALTER TABLE staff DROP COLUMN offices;

ALTER TABLE staff ADD COLUMN totp BYTES NOT NULL DEFAULT '';      -- sealed; empty if there is no app
ALTER TABLE staff ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0; -- of the last code that was used
ALTER TABLE staff ADD COLUMN totp_since BIGINT NOT NULL DEFAULT 0; -- the account has this app
ALTER TABLE staff ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;     -- a higher one ends every session
-- A keyed hash of who an organization's provider says it is; NULL, of which
-- there may be many, for an account that signs in here.
ALTER TABLE staff ADD COLUMN identity BYTES;
CREATE UNIQUE INDEX staff_identity ON staff (identity);

-- The one link by which a person may set an account up. It is removed when it
-- is used.
CREATE TABLE invitations (
    staff      TEXT   NOT NULL PRIMARY KEY REFERENCES staff (id),
    hash       BYTES  NOT NULL UNIQUE, -- SHA-256 of what stands in the link
    kind       TEXT   NOT NULL CHECK (kind IN ('new', 'reset')),
    made_by    TEXT   NOT NULL, -- empty: the operator
    expires_at BIGINT NOT NULL
);

CREATE TABLE passkeys (
    id       BYTES  NOT NULL PRIMARY KEY, -- as the authenticator named it
    staff    TEXT   NOT NULL REFERENCES staff (id),
    name     TEXT   NOT NULL,
    record   BYTES  NOT NULL, -- JSON: public key, counter, flags
    added_at BIGINT NOT NULL,
    used_at  BIGINT NOT NULL
);
CREATE INDEX passkeys_staff ON passkeys (staff);

-- The sign-ins. A browser is new to an account if none of its rows has the
-- same device; they are kept as long as a browser keeps its secret.
CREATE TABLE desk_sessions (
    id       TEXT    NOT NULL PRIMARY KEY,
    staff    TEXT    NOT NULL REFERENCES staff (id),
    browser  TEXT    NOT NULL, -- in words
    origin   TEXT    NOT NULL, -- network address
    device   BYTES   NOT NULL, -- SHA-256 of the secret that the browser keeps
    begun_at BIGINT  NOT NULL,
    ends_at  BIGINT  NOT NULL,
    ended_at BIGINT  NOT NULL, -- before its time; 0 if not
    fresh    INTEGER NOT NULL, -- the browser was new to the account
    proven   INTEGER NOT NULL, -- begun with a second factor that was a day old, or the organization's
    told_at  BIGINT  NOT NULL  -- the person was asked about it
);
CREATE INDEX desk_sessions_staff ON desk_sessions (staff, begun_at);
