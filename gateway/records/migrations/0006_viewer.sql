-- How a page is to be looked at, and links that ask for something certain.

-- Degrees clockwise that a caseworker turned a page by: the sealed bytes stay.
ALTER TABLE pages ADD COLUMN rotation INTEGER NOT NULL DEFAULT 0 CHECK (rotation IN (0, 90, 180, 270));

-- Counts what staff changed of a submission and its pages: a manifest that was
-- read before is written once more.
ALTER TABLE submissions ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

ALTER TABLE links ADD COLUMN camera_at BIGINT NOT NULL DEFAULT 0;    -- the page's camera ran, first
ALTER TABLE links ADD COLUMN canceled_at BIGINT NOT NULL DEFAULT 0; -- by staff; its state is superseded or closed then

-- The first of a row of links, of which each came instead of the one before; empty if it is that.
ALTER TABLE links ADD COLUMN root TEXT NOT NULL DEFAULT '';
CREATE INDEX links_root ON links (root) WHERE root <> '';

-- The page that was asked for once more when this one was sent, and why; empty
-- for most.
ALTER TABLE pages ADD COLUMN again TEXT NOT NULL DEFAULT '';
ALTER TABLE pages ADD COLUMN again_why TEXT NOT NULL DEFAULT '';

-- What a caseworker asks for with a link.
CREATE TABLE wishes (
    link   TEXT  NOT NULL PRIMARY KEY REFERENCES links (id),
    asks   TEXT  NOT NULL, -- JSON array of the office's asks
    words  BYTES NOT NULL, -- the caseworker's own, sealed under a subkey of the link key; empty if none
    page   TEXT  NOT NULL, -- that is to be sent once more; empty if none
    reason TEXT  NOT NULL CHECK (reason IN ('', 'blurry', 'cut-off', 'wrong-month', 'other'))
);

-- Whether a sender texted of late is asked before a caseworker texts them.
CREATE INDEX texts_sender ON texts (office, sender, received_at);
