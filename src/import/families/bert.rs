//! BERT (Devlin et al., 2019): hearken's own names; only prefixes, poolers and heads differ.

use super::keys::refuse_decoder;
use crate::import::{Family, Origin};

/// The family.
pub const FAMILY: Family = Family {
    model_types: &["bert"],
    anchor: "embeddings.word_embeddings.weight",
    config: |config| refuse_decoder(config).map(|()| config.clone()),
    origin: |name, _| Origin::Named(name.to_owned()),
};
