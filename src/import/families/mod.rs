//! One family of checkpoints a file: its `model_type`s, its configuration and tensor names in hearken's words.

mod bert;
mod deberta;
mod distilbert;
mod keys;
mod modernbert;
mod mpnet;
mod roberta;

use super::Family;

/// Every family.
pub const FAMILIES: &[&Family] =
    &[&bert::FAMILY, &roberta::FAMILY, &distilbert::FAMILY, &deberta::FAMILY, &modernbert::FAMILY, &mpnet::FAMILY];
