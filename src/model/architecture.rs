//! The architectures of encoders that hearken runs: what each reads from `config.json` beyond the common keys, and its tensors.

use super::config::parse;
use super::{EncoderConfig, ModelError};
use serde::Deserialize;

/// Reads an architecture's own keys from `config.json`.
type Own = fn(&str) -> Result<Architecture, ModelError>;

/// Every architecture by its `model_type`.
pub const ARCHITECTURES: &[(&str, Own)] = &[
    ("bert", |_| Ok(Architecture::Bert)),
    ("deberta-v2", |json| Disentangled::parse(json).map(Architecture::DebertaV2)),
    ("modernbert", |json| Rotary::parse(json).map(Architecture::ModernBert)),
    ("mpnet", |json| Bucketed::parse(json).map(Architecture::Mpnet)),
];

/// How the layers of an encoder work.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Architecture {
    /// Absolute positions, post-norm (Devlin et al., 2019). Every backend runs it.
    #[default]
    Bert,
    /// Disentangled attention to relative positions (He et al., 2021).
    DebertaV2(Disentangled),
    /// Rotary positions, alternating windows, gated feed-forward, pre-norm (Warner et al., 2024).
    ModernBert(Rotary),
    /// Absolute positions, and a bias by relative position that all layers share (Song et al., 2020).
    Mpnet(Bucketed),
}

/// What MPNet has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucketed {
    /// Buckets of relative positions, half of them for either side.
    pub buckets: usize,
}

/// What DeBERTa-v2 and v3 have of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of the configuration")]
pub struct Disentangled {
    /// Scores of content against position.
    pub content_to_position: bool,
    /// Scores of position against content.
    pub position_to_content: bool,
    /// Positions go through the projections of content.
    pub share_att_key: bool,
    /// Relative distances that have an embedding of their own; further ones share logarithmic buckets. None: each has its own.
    pub position_buckets: Option<usize>,
    /// Furthest relative distance.
    pub max_relative_positions: usize,
    /// A layer-norm over the embeddings of relative positions.
    pub normalised: bool,
    /// Absolute positions are added to the input.
    pub position_biased_input: bool,
}

/// What ModernBERT has of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Base of the rotation's frequencies in layers that see everything.
    pub global_theta: f64,
    /// The same in layers that see a window.
    pub local_theta: f64,
    /// Furthest distance that a windowed layer sees.
    pub window: usize,
    /// Every how many layers one sees everything, from the first on.
    pub global_every: usize,
    /// The attention's products have a bias.
    pub attention_bias: bool,
    /// The feed-forward's products have a bias.
    pub mlp_bias: bool,
    /// The layer-norms have a shift.
    pub norm_bias: bool,
}

fn wrong(key: &str, detail: impl Into<String>) -> ModelError {
    ModelError::Contradiction { file: "config.json", key: key.to_owned(), detail: detail.into() }
}

impl Architecture {
    /// Name and shape of every tensor of an encoder.
    #[must_use]
    pub fn tensors(&self, config: &EncoderConfig) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::Bert => bert_tensors(config),
            Self::DebertaV2(own) => own.tensors(config),
            Self::ModernBert(own) => own.tensors(config),
            Self::Mpnet(own) => own.tensors(config),
        }
    }

    /// Checks the common keys against the architecture's own.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn check(&self, config: &EncoderConfig) -> Result<(), ModelError> {
        match self {
            Self::ModernBert(_) if !config.head_dim().is_multiple_of(2) => {
                Err(wrong("num_attention_heads", format!("heads are {} wide; a rotation needs an even width", config.head_dim())))
            }
            _ => Ok(()),
        }
    }
}

/// A list of tensors in the making.
struct Tensors(Vec<(String, Vec<usize>)>);

impl Tensors {
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) {
        self.0.push((format!("{name}.weight"), vec![rows, columns]));
    }

    fn linear(&mut self, name: &str, rows: usize, columns: usize, bias: bool) {
        self.matrix(name, rows, columns);
        if bias {
            self.0.push((format!("{name}.bias"), vec![rows]));
        }
    }

    /// Feed-forward and both layer-norms of a layer, as BERT and DeBERTa have them.
    fn feed_forward_and_norms(&mut self, layer: usize, config: &EncoderConfig) {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        self.linear(&name("intermediate.dense"), inner, hidden, true);
        self.linear(&name("output.dense"), hidden, inner, true);
        self.norm(&name("attention.output.LayerNorm"), hidden, true);
        self.norm(&name("output.LayerNorm"), hidden, true);
    }

    fn norm(&mut self, name: &str, hidden: usize, bias: bool) {
        self.0.push((format!("{name}.weight"), vec![hidden]));
        if bias {
            self.0.push((format!("{name}.bias"), vec![hidden]));
        }
    }
}

fn bert_tensors(config: &EncoderConfig) -> Vec<(String, Vec<usize>)> {
    let hidden = config.hidden_size;
    let mut tensors = Tensors(Vec::new());
    tensors.matrix("embeddings.word_embeddings", config.vocab_size, hidden);
    tensors.matrix("embeddings.position_embeddings", config.max_position_embeddings, hidden);
    if config.type_vocab_size > 0 {
        tensors.matrix("embeddings.token_type_embeddings", config.type_vocab_size, hidden);
    }
    tensors.norm("embeddings.LayerNorm", hidden, true);
    for layer in 0..config.num_hidden_layers {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for part in ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"] {
            tensors.linear(&name(part), hidden, hidden, true);
        }
        tensors.feed_forward_and_norms(layer, config);
    }
    tensors.0
}

/// The key as MPNet's `config.json` has it.
#[derive(Deserialize)]
struct BucketedKeys {
    relative_attention_num_buckets: usize,
}

impl Bucketed {
    fn parse(json: &str) -> Result<Self, ModelError> {
        let BucketedKeys { relative_attention_num_buckets: buckets } = parse(json)?;
        if !(4..=1 << 10).contains(&buckets) || !buckets.is_multiple_of(4) {
            return Err(wrong("relative_attention_num_buckets", format!("{buckets} is no multiple of 4 in 4..=1024")));
        }
        Ok(Self { buckets })
    }

    fn tensors(self, config: &EncoderConfig) -> Vec<(String, Vec<usize>)> {
        let mut tensors = Tensors(bert_tensors(config));
        tensors.matrix("encoder.relative_attention_bias", self.buckets, config.num_attention_heads);
        tensors.0
    }
}

/// The keys as DeBERTa's `config.json` has them.
#[derive(Deserialize)]
struct DisentangledKeys {
    hidden_size: usize,
    max_position_embeddings: usize,
    #[serde(default)]
    relative_attention: bool,
    #[serde(default)]
    max_relative_positions: i64,
    #[serde(default)]
    position_buckets: i64,
    #[serde(default = "yes")]
    position_biased_input: bool,
    #[serde(default)]
    pos_att_type: Option<Names>,
    #[serde(default)]
    share_att_key: bool,
    #[serde(default)]
    norm_rel_ebd: Option<String>,
    #[serde(default)]
    conv_kernel_size: i64,
    #[serde(default)]
    embedding_size: Option<usize>,
    #[serde(default)]
    attention_head_size: Option<usize>,
    num_attention_heads: usize,
}

/// `["c2p", "p2c"]` or `"c2p|p2c"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Line(String),
}

fn yes() -> bool {
    true
}

impl Disentangled {
    fn parse(json: &str) -> Result<Self, ModelError> {
        let keys: DisentangledKeys = parse(json)?;
        let names: Vec<String> = match keys.pos_att_type {
            Some(Names::List(names)) => names,
            Some(Names::Line(line)) => line.split('|').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
        if let Some(name) = names.iter().find(|name| !["", "c2p", "p2c"].contains(&name.as_str())) {
            return Err(wrong("pos_att_type", format!("`{name}` is not supported; hearken knows `c2p` and `p2c`")));
        }
        if keys.conv_kernel_size > 0 {
            let detail =
                format!("{}: a convolution behind the first layer is not supported; take a DeBERTa-v3 instead", keys.conv_kernel_size);
            return Err(wrong("conv_kernel_size", detail));
        }
        if keys.embedding_size.is_some_and(|size| size != keys.hidden_size) {
            return Err(wrong("embedding_size", "must equal hidden_size; a projection of the embeddings is not supported"));
        }
        if keys.attention_head_size.is_some_and(|size| Some(size) != keys.hidden_size.checked_div(keys.num_attention_heads)) {
            return Err(wrong("attention_head_size", "must be hidden_size divided by num_attention_heads"));
        }
        let positive = |value: i64| usize::try_from(value).ok().filter(|value| *value > 0);
        let buckets = positive(keys.position_buckets);
        let furthest = positive(keys.max_relative_positions).unwrap_or(keys.max_position_embeddings);
        if furthest > 1 << 16 || buckets.is_some_and(|buckets| !(4..=1 << 16).contains(&buckets) || buckets / 2 + 1 >= furthest) {
            return Err(wrong("position_buckets", format!("{buckets:?} and max_relative_positions {furthest} make no sense together")));
        }
        Ok(Self {
            content_to_position: keys.relative_attention && names.iter().any(|name| name == "c2p"),
            position_to_content: keys.relative_attention && names.iter().any(|name| name == "p2c"),
            share_att_key: keys.share_att_key,
            position_buckets: buckets,
            max_relative_positions: furthest,
            normalised: keys.norm_rel_ebd.is_some_and(|names| names.to_lowercase().split('|').any(|name| name.trim() == "layer_norm")),
            position_biased_input: keys.position_biased_input,
        })
    }

    /// Whether attention sees relative positions at all.
    #[must_use]
    pub fn relative(&self) -> bool {
        self.content_to_position || self.position_to_content
    }

    /// Distances to either side that have an embedding: half the rows of its table.
    #[must_use]
    pub fn span(&self) -> usize {
        self.position_buckets.unwrap_or(self.max_relative_positions)
    }

    fn tensors(&self, config: &EncoderConfig) -> Vec<(String, Vec<usize>)> {
        let hidden = config.hidden_size;
        let mut tensors = Tensors(Vec::new());
        tensors.matrix("embeddings.word_embeddings", config.vocab_size, hidden);
        if self.position_biased_input {
            tensors.matrix("embeddings.position_embeddings", config.max_position_embeddings, hidden);
        }
        if config.type_vocab_size > 0 {
            tensors.matrix("embeddings.token_type_embeddings", config.type_vocab_size, hidden);
        }
        tensors.norm("embeddings.LayerNorm", hidden, true);
        if self.relative() {
            tensors.matrix("encoder.rel_embeddings", 2 * self.span(), hidden);
            if self.normalised {
                tensors.norm("encoder.LayerNorm", hidden, true);
            }
        }
        for layer in 0..config.num_hidden_layers {
            let name = |part: &str| format!("encoder.layer.{layer}.{part}");
            let own = |wanted: bool| wanted && !self.share_att_key;
            for part in ["attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj", "attention.output.dense"] {
                tensors.linear(&name(part), hidden, hidden, true);
            }
            if own(self.content_to_position) {
                tensors.linear(&name("attention.self.pos_key_proj"), hidden, hidden, true);
            }
            if own(self.position_to_content) {
                tensors.linear(&name("attention.self.pos_query_proj"), hidden, hidden, true);
            }
            tensors.feed_forward_and_norms(layer, config);
        }
        tensors.0
    }
}

/// The keys as `import` writes them for ModernBERT.
#[derive(Deserialize)]
struct RotaryKeys {
    global_rope_theta: f64,
    local_rope_theta: f64,
    local_attention: usize,
    global_attn_every_n_layers: usize,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    norm_bias: bool,
}

impl Rotary {
    fn parse(json: &str) -> Result<Self, ModelError> {
        let keys: RotaryKeys = parse(json)?;
        for (key, theta) in [("global_rope_theta", keys.global_rope_theta), ("local_rope_theta", keys.local_rope_theta)] {
            if !(theta.is_finite() && theta > 1.0) {
                return Err(wrong(key, format!("{theta} must be above 1")));
            }
        }
        if keys.global_attn_every_n_layers == 0 {
            return Err(wrong("global_attn_every_n_layers", "must be at least 1"));
        }
        Ok(Self {
            global_theta: keys.global_rope_theta,
            local_theta: keys.local_rope_theta,
            window: keys.local_attention / 2,
            global_every: keys.global_attn_every_n_layers,
            attention_bias: keys.attention_bias,
            mlp_bias: keys.mlp_bias,
            norm_bias: keys.norm_bias,
        })
    }

    fn tensors(&self, config: &EncoderConfig) -> Vec<(String, Vec<usize>)> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let mut tensors = Tensors(Vec::new());
        tensors.matrix("embeddings.tok_embeddings", config.vocab_size, hidden);
        tensors.norm("embeddings.norm", hidden, self.norm_bias);
        for layer in 0..config.num_hidden_layers {
            let name = |part: &str| format!("layers.{layer}.{part}");
            if layer > 0 {
                tensors.norm(&name("attn_norm"), hidden, self.norm_bias);
            }
            tensors.linear(&name("attn.Wqkv"), 3 * hidden, hidden, self.attention_bias);
            tensors.linear(&name("attn.Wo"), hidden, hidden, self.attention_bias);
            tensors.norm(&name("mlp_norm"), hidden, self.norm_bias);
            tensors.linear(&name("mlp.Wi"), 2 * inner, hidden, self.mlp_bias);
            tensors.linear(&name("mlp.Wo"), hidden, inner, self.mlp_bias);
        }
        tensors.norm("final_norm", hidden, self.norm_bias);
        tensors.0
    }
}
