//! Where SQLite and PostgreSQL differ.

/// What one database says otherwise than the other.
pub trait Dialect: Send + Sync + std::fmt::Debug {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The elements of the JSON array in an argument, as rows named `element` with a column `value`.
    fn each(&self, argument: usize) -> String {
        self.elements(&format!("${argument}"))
    }

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

    /// Writers at once.
    fn writers(&self) -> usize;

    /// Whether several statements with arguments may go to the database at once.
    fn takes_several(&self) -> bool;

    /// Whether a connection may have died unnoticed while nobody used it.
    fn is_remote(&self) -> bool;
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

    /// Commits do not wait for the disk: whoever must, waits for the log (`disk.rs`).
    fn on_connect(&self) -> &'static [&'static str] {
        &[
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA busy_timeout = 5000",
            "PRAGMA foreign_keys = ON",
            "PRAGMA journal_size_limit = 67108864",
        ]
    }

    fn writers(&self) -> usize {
        1
    }

    fn takes_several(&self) -> bool {
        true
    }

    fn is_remote(&self) -> bool {
        false
    }
}

impl Dialect for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
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

    fn writers(&self) -> usize {
        4
    }

    fn takes_several(&self) -> bool {
        false
    }

    fn is_remote(&self) -> bool {
        true
    }
}
