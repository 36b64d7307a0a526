"""The tables of the store."""

FILINGS = """
-- What each person was filed for, from when on (filings.py).
CREATE TABLE IF NOT EXISTS filings (
    person TEXT NOT NULL,
    since TEXT NOT NULL,          -- UTC
    place INTEGER NOT NULL,       -- hospitalSeq, 0 where there is none
    record_id INTEGER NOT NULL,
    profession TEXT NOT NULL,
    scope TEXT NOT NULL,          -- JSON list
    until TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (person, since, place, record_id)
) WITHOUT ROWID;
"""

SCHEMA = f"""{FILINGS}
CREATE INDEX IF NOT EXISTS filings_profession ON filings (profession);

CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY,
    profile TEXT NOT NULL,
    method TEXT NOT NULL,
    business_no TEXT NOT NULL,
    visit_no TEXT,
    event_id TEXT,
    event_type TEXT,
    doctor_id TEXT,
    patient_id TEXT,
    occurred_at TEXT NOT NULL,    -- UTC
    received_at TEXT NOT NULL,    -- UTC
    receipt TEXT,                 -- shanghai only
    request_digest TEXT NOT NULL, -- X-Content-MD5 of the request it came in
    duplicate INTEGER NOT NULL,
    body TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT '', -- what it tells, whatever table told it (meanings.py)
    organ_id TEXT,
    dept_id TEXT,
    reviewer_id TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS records_event ON records (event_id, method) WHERE event_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_visit ON records (visit_no, occurred_at);
CREATE INDEX IF NOT EXISTS records_patient ON records (patient_id, kind, occurred_at);
CREATE INDEX IF NOT EXISTS records_business ON records (method, business_no);
CREATE INDEX IF NOT EXISTS records_received ON records (received_at);
-- Holds all that a day is counted by, so that counting reads no record.
CREATE INDEX IF NOT EXISTS records_occurred ON records (occurred_at, duplicate, kind, profile);
CREATE INDEX IF NOT EXISTS records_kind ON records (kind, occurred_at);
CREATE INDEX IF NOT EXISTS records_of_visits ON records (kind, id) WHERE visit_no IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_doctor ON records (doctor_id, kind, occurred_at);
CREATE INDEX IF NOT EXISTS records_dept ON records (dept_id, visit_no) WHERE dept_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_reviewer ON records (reviewer_id, occurred_at) WHERE reviewer_id IS NOT NULL;

-- Numbers that records of one visit share; `visit_no` is empty until a record names both.
CREATE TABLE IF NOT EXISTS joins (
    number TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    visit_no TEXT,
    PRIMARY KEY (number, record_id)
) WITHOUT ROWID;

-- Business numbers that were accepted, for records that depend on them.
CREATE TABLE IF NOT EXISTS known (
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    value TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonces_at ON nonces (at_ms);

CREATE TABLE IF NOT EXISTS counts (
    profile TEXT NOT NULL,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL,        -- accepted, duplicates, rejected, sign_ins
    number INTEGER NOT NULL,
    PRIMARY KEY (profile, method, outcome)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS refusals (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    profile TEXT NOT NULL,
    method TEXT NOT NULL,
    code INTEGER NOT NULL,
    reason TEXT NOT NULL,
    event_id TEXT,
    position INTEGER              -- in its list; NULL when the whole request was refused
);
CREATE INDEX IF NOT EXISTS refusals_at ON refusals (at);

CREATE TABLE IF NOT EXISTS sign_ins (day TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;

-- The hospital's chain as far as it was seen.
CREATE TABLE IF NOT EXISTS links (
    number INTEGER PRIMARY KEY,   -- hospitalSeq
    event_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    stream TEXT NOT NULL,
    stream_number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    head TEXT NOT NULL,
    previous TEXT,                -- as the sender said
    state TEXT NOT NULL,          -- open, good, broken
    UNIQUE (stream, stream_number)
);
CREATE INDEX IF NOT EXISTS links_state ON links (state) WHERE state != 'good';
CREATE TABLE IF NOT EXISTS streams (
    stream TEXT PRIMARY KEY,
    seen INTEGER NOT NULL,
    highest INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS streams_with_gaps ON streams (stream) WHERE highest > seen;

-- Days as both sides stated and sealed them; the newest exchange of each statement.
CREATE TABLE IF NOT EXISTS day_statements (
    day TEXT NOT NULL,
    supplement INTEGER NOT NULL,
    at TEXT NOT NULL,
    agreed INTEGER NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    PRIMARY KEY (day, supplement)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS alerts (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,        -- what it is about: one alert for each rule and subject
    record_id INTEGER NOT NULL,
    visit_no TEXT,
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (rule, subject)
);
CREATE INDEX IF NOT EXISTS alerts_at ON alerts (at);
CREATE INDEX IF NOT EXISTS alerts_record ON alerts (record_id);
CREATE INDEX IF NOT EXISTS alerts_visit ON alerts (visit_no) WHERE visit_no IS NOT NULL;
"""
