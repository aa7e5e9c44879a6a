-- Emergency access: one account, in one session, may look at the papers of an
-- office where no role of it opens them.
CREATE TABLE emergencies (
    id        TEXT   NOT NULL PRIMARY KEY,
    staff     TEXT   NOT NULL REFERENCES staff (id),
    session   TEXT   NOT NULL, -- it is worth nothing in another
    office    TEXT   NOT NULL,
    reason    BYTES  NOT NULL, -- sealed to the office, since it may name a client; empty once it is old
    opened_at BIGINT NOT NULL,
    until     BIGINT NOT NULL,
    ended_at  BIGINT NOT NULL, -- when the end was noted; 0 before
    ended_by  TEXT   NOT NULL, -- gateway.EmergencyEnd
    seen_at   BIGINT NOT NULL, -- somebody of the office said that they know; 0 before
    seen_by   TEXT   NOT NULL
);
-- Two requests of one person at once open it once.
CREATE UNIQUE INDEX emergencies_running ON emergencies (session, office) WHERE ended_at = 0;
CREATE INDEX emergencies_unseen ON emergencies (office) WHERE seen_at = 0;
CREATE INDEX emergencies_office ON emergencies (office, opened_at);
CREATE INDEX emergencies_staff ON emergencies (staff, opened_at);
CREATE INDEX emergencies_reasons ON emergencies (office, opened_at) WHERE LENGTH(reason) > 0;
