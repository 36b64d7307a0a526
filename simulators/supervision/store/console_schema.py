"""What supervisors do is kept beside what the hospitals sent, in tables of its own."""

TRIGGERS = ("trail_never_changes", "trail_never_shrinks")

ADDED = (
    ("questions", "tried_at", "TEXT", ""),
    ("questions", "withdrawn_at", "TEXT",
     ("UPDATE questions SET withdrawn_at = asked_at WHERE answered_at IS NULL AND (matter_id NOT IN "
     "(SELECT id FROM matters WHERE standing = 'asked') OR EXISTS (SELECT 1 FROM questions AS later "
     "WHERE later.matter_id = questions.matter_id AND later.asked_at > questions.asked_at))")),
    ("reveals", "export", "INTEGER NOT NULL DEFAULT 0", ""),
)  # fmt: skip
"""Columns that a file of an older version lacks: table, column, type, and what makes the old rows true."""

CONSOLE_SCHEMA = """
-- Every deed and every look of a supervisor, each line bound to the one before (trail.py).
CREATE TABLE IF NOT EXISTS trail (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,             -- UTC
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,         -- JSON object of texts
    entry TEXT NOT NULL,          -- SHA-256 of the line
    head TEXT NOT NULL            -- SHA-256(head before ‖ entry)
);
CREATE INDEX IF NOT EXISTS trail_at ON trail (at);
CREATE INDEX IF NOT EXISTS trail_subject ON trail (subject);
CREATE TRIGGER IF NOT EXISTS trail_never_changes BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS trail_never_shrinks BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'append only'); END;

-- Alerts that a later record explained: they leave the list, not the platform.
CREATE TABLE IF NOT EXISTS explained (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    visit_no TEXT,
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    by_record INTEGER NOT NULL    -- the record that explained it
);

-- A matter a supervisor works on: an alert, a complaint, an adverse event, a finding of a sample. No row: new.
CREATE TABLE IF NOT EXISTS matters (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,           -- alert, complaint, event, finding
    key TEXT NOT NULL,            -- of the alert: rule and subject; else a business number
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    visit_no TEXT,
    record_id INTEGER,
    at TEXT NOT NULL,             -- of what it is about
    standing TEXT NOT NULL,       -- matters/states.py
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS matter_moves (
    id INTEGER PRIMARY KEY,
    matter_id INTEGER NOT NULL REFERENCES matters (id),
    at TEXT NOT NULL,
    login TEXT NOT NULL,          -- empty: the hospital
    name TEXT NOT NULL,
    verb TEXT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS matter_moves_of ON matter_moves (matter_id, id);

-- Questions to the hospital: written down first, then asked, then answered.
CREATE TABLE IF NOT EXISTS questions (
    id TEXT PRIMARY KEY,          -- a UUID; the hospital keeps one question for it
    matter_id INTEGER NOT NULL REFERENCES matters (id),
    visit_no TEXT,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    authority TEXT NOT NULL,
    words TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    answer_by TEXT NOT NULL,
    sent_at TEXT,
    refused_at TEXT,              -- the hospital will not have it; it is not sent again
    problem TEXT NOT NULL DEFAULT '',
    answer TEXT,
    answered_by TEXT,
    answered_at TEXT,
    withdrawn_at TEXT,            -- not sent from then on; what may be there already is still listened to
    tried_at TEXT                 -- sent or asked after, well or not: whoever waited longest comes first
);
CREATE INDEX IF NOT EXISTS questions_of ON questions (matter_id);
CREATE INDEX IF NOT EXISTS questions_waiting ON questions (tried_at, asked_at) WHERE answered_at IS NULL;

-- Samples: who drew what from what is here before anybody sees what came out.
CREATE TABLE IF NOT EXISTS samples (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,          -- query text of the filter
    reason TEXT NOT NULL,
    seed TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    up_to INTEGER NOT NULL,       -- the last record the platform had
    population INTEGER NOT NULL,
    population_digest TEXT NOT NULL,
    trail_number INTEGER NOT NULL -- the line that says so
);
-- What a draw was made from, and what came out; written once.
CREATE TABLE IF NOT EXISTS sample_draws (
    sample_id INTEGER PRIMARY KEY REFERENCES samples (id),
    trail_head TEXT NOT NULL,     -- head of the line that says so: part of the order
    numbers BLOB NOT NULL,        -- the population, a number and a line feed each, as zlib packs it
    chosen TEXT                   -- JSON list
);
CREATE TABLE IF NOT EXISTS sample_results (
    sample_id INTEGER NOT NULL REFERENCES samples (id),
    number TEXT NOT NULL,
    at TEXT NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    good INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (sample_id, number)
);

-- Reveals: one asks, another decides, and for a few minutes the first may look.
CREATE TABLE IF NOT EXISTS reveals (
    id INTEGER PRIMARY KEY,
    visit_no TEXT NOT NULL,
    at TEXT NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    authority TEXT NOT NULL,
    reason TEXT NOT NULL,
    decide_by TEXT NOT NULL,
    decided_at TEXT,
    decided_login TEXT,
    decided_name TEXT,
    granted INTEGER,
    note TEXT NOT NULL DEFAULT '',
    ends_at TEXT,
    export INTEGER NOT NULL DEFAULT 0, -- she may also carry the texts away as they came
    CHECK (decided_login IS NULL OR decided_login <> login)
);
CREATE INDEX IF NOT EXISTS reveals_visit ON reveals (visit_no);
"""
