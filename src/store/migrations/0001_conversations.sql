-- Conversations, hand-overs and what came of them. The same text for SQLite and PostgreSQL: times are milliseconds since 1970,
-- truths are 0 and 1, structures are JSON in text.

CREATE TABLE documents (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    channel TEXT,
    segment TEXT,
    customer TEXT,
    metadata TEXT,
    episode TEXT NOT NULL,
    handover TEXT,
    resolved BIGINT
);
CREATE INDEX conversations_updated ON conversations (updated);

CREATE TABLE messages (
    conversation TEXT NOT NULL,
    turn BIGINT NOT NULL,
    id TEXT,
    role TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT,
    digest TEXT,
    channel TEXT,
    segment TEXT,
    language TEXT,
    status TEXT,
    intent TEXT,
    intent_score DOUBLE PRECISION,
    sentiment TEXT,
    sentiment_score DOUBLE PRECISION,
    prediction TEXT,
    entities TEXT,
    tokens BIGINT,
    truncated BIGINT,
    decision TEXT,
    escalated BIGINT NOT NULL,
    episode TEXT,
    handover TEXT,
    policy TEXT,
    labels TEXT,
    model TEXT,
    PRIMARY KEY (conversation, turn)
);
CREATE UNIQUE INDEX messages_id ON messages (conversation, id);
CREATE INDEX messages_at ON messages (at);

CREATE TABLE handovers (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL,
    turn BIGINT NOT NULL,
    at BIGINT NOT NULL,
    began BIGINT NOT NULL,
    source TEXT NOT NULL,
    priority TEXT NOT NULL,
    channel TEXT,
    segment TEXT,
    rules TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    accepted BIGINT,
    resolved BIGINT
);
CREATE INDEX handovers_at ON handovers (at);
CREATE INDEX handovers_conversation ON handovers (conversation);

CREATE TABLE deliveries (
    handover TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    finished BIGINT,
    PRIMARY KEY (handover, target)
);
CREATE INDEX deliveries_due ON deliveries (state, due);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    conversation TEXT,
    handover TEXT,
    message TEXT,
    value DOUBLE PRECISION,
    data TEXT
);
CREATE INDEX events_kind_at ON events (kind, at);
CREATE INDEX events_conversation ON events (conversation);
