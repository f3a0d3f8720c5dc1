//! Where SQLite and PostgreSQL differ.

/// What one database says otherwise than the other.
pub trait Dialect: Send + Sync + std::fmt::Debug {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The elements of the JSON array in the first argument, as rows with a column `value`.
    fn each(&self) -> &'static str;

    /// The elements of the JSON array in a column, as rows named `element` with a column `value`.
    fn elements(&self, column: &str) -> String;

    /// The texts of the JSON array in a column, as rows named `element` with a column `value`.
    fn texts(&self, column: &str) -> String;

    /// A text that is JSON, so that `->>` applies to it.
    fn json(&self, text: &str) -> String;

    /// What follows a query whose rows somebody else may be taking at the same time.
    fn skip_locked(&self) -> &'static str;

    /// Statements for each new connection.
    fn on_connect(&self) -> &'static [&'static str];

    /// Statements before a group of changes: of one that must be on disk when it is done, or of one that need not.
    fn before_group(&self, durable: bool) -> &'static str;

    /// Writers at once.
    fn writers(&self) -> usize;
}

/// SQLite in write-ahead mode: one writer, readers beside it.
#[derive(Debug)]
pub struct Sqlite;

/// PostgreSQL.
#[derive(Debug)]
pub struct Postgres;

impl Dialect for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn each(&self) -> &'static str {
        "json_each($1) AS element"
    }

    fn elements(&self, column: &str) -> String {
        format!("json_each({column}) AS element")
    }

    fn texts(&self, column: &str) -> String {
        self.elements(column)
    }

    fn json(&self, text: &str) -> String {
        text.to_owned()
    }

    fn skip_locked(&self) -> &'static str {
        ""
    }

    fn on_connect(&self) -> &'static [&'static str] {
        &[
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA busy_timeout = 5000",
            "PRAGMA foreign_keys = ON",
            "PRAGMA journal_size_limit = 67108864",
        ]
    }

    /// A commit in write-ahead mode reaches the disk at once where `synchronous` is full, and with the next that is, or the next
    /// checkpoint, where it is normal. Either survives the end of the process; only the first survives the end of the machine.
    fn before_group(&self, durable: bool) -> &'static str {
        if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" }
    }

    fn writers(&self) -> usize {
        1
    }
}

impl Dialect for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn each(&self) -> &'static str {
        "jsonb_array_elements(CAST($1 AS jsonb)) AS element(value)"
    }

    fn elements(&self, column: &str) -> String {
        format!("jsonb_array_elements(CAST({column} AS jsonb)) AS element(value)")
    }

    fn texts(&self, column: &str) -> String {
        format!("jsonb_array_elements_text(CAST({column} AS jsonb)) AS element(value)")
    }

    fn json(&self, text: &str) -> String {
        format!("CAST({text} AS jsonb)")
    }

    fn skip_locked(&self) -> &'static str {
        "FOR UPDATE SKIP LOCKED"
    }

    fn on_connect(&self) -> &'static [&'static str] {
        &["SET application_name = 'hearken'", "SET statement_timeout = '10s'"]
    }

    /// Replicas read what others wrote, so every commit counts.
    fn before_group(&self, _durable: bool) -> &'static str {
        "SET synchronous_commit = on"
    }

    fn writers(&self) -> usize {
        4
    }
}
