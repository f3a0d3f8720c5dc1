//! What decisions were made with: policies and the labels of models, each once, by its hash.

use super::error::StoreError;
use super::open::Store;
use super::rows::DOCUMENTS;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::Row as _;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A policy file.
    Policy,
    /// The labels of a model.
    Labels,
}

impl DocumentKind {
    fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Labels => "labels",
        }
    }
}

impl Store {
    /// Keeps a document, unless it is kept already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&self, kind: DocumentKind, hash: &str, content: &impl Serialize) -> Result<(), StoreError> {
        let content = serde_json::to_string(content).map_err(|error| StoreError::content("document", error))?;
        let row = json!([{"hash": hash, "kind": kind.name(), "content": content, "at": jiff::Timestamp::now().as_millisecond()}]);
        let statement = self.sql(|dialect| format!("{} ON CONFLICT (hash) DO NOTHING", DOCUMENTS.insert(&dialect.each(1))));
        sqlx::query(statement).bind(row.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// A document by its hash.
    ///
    /// # Errors
    /// When the database fails or the document is not what it should be.
    pub async fn document<T: DeserializeOwned>(&self, kind: DocumentKind, hash: &str) -> Result<Option<T>, StoreError> {
        let query = sqlx::query("SELECT content FROM documents WHERE hash = $1 AND kind = $2").bind(hash.to_owned()).bind(kind.name());
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        let content: String = row.try_get("content")?;
        serde_json::from_str(&content).map(Some).map_err(|error| StoreError::content(kind.name(), error))
    }
}
