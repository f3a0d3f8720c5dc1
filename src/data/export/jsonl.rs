//! hearken's own rows.

use super::Exporter;
use crate::data::import::{Imported, Problem};
use std::io;

/// One JSON object a line.
#[derive(Debug)]
pub struct Jsonl;

impl Exporter for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "hearken's own rows, one JSON object a line"
    }

    fn write(&self, rows: &[Imported], out: &mut dyn io::Write) -> io::Result<Vec<Problem>> {
        for imported in rows {
            serde_json::to_writer(&mut *out, &imported.row)?;
            out.write_all(b"\n")?;
        }
        Ok(Vec::new())
    }
}
