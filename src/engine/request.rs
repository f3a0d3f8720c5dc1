//! What goes in, what comes out, and how it can fail.

use crate::backend::ComputeError;
use crate::batch::Class;
use crate::conversation::Turn;
use crate::heads::{DecodeError, Prediction};
use crate::patterns::ValueContext;
use crate::text::{EncodeError, Utterance};
use std::time::{Duration, Instant};

/// One message to classify.
#[derive(Debug, Clone)]
pub struct Input {
    /// The message.
    pub text: Utterance,
    /// What was said before, oldest first.
    pub context: Vec<Turn>,
    /// What values are resolved against.
    pub values: ValueContext,
}

impl Input {
    /// A message of this moment, without context.
    #[must_use]
    pub fn now(text: Utterance) -> Self {
        let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
        Self { text, context: Vec::new(), values: ValueContext { now: Some(now), region: None } }
    }
}

/// Messages that are classified together, and on which terms.
#[derive(Debug, Clone)]
pub struct Request {
    /// The messages.
    pub inputs: Vec<Input>,
    /// Who waits for the answer.
    pub class: Class,
    /// When the answer is worth nothing any more.
    pub deadline: Option<Instant>,
}

impl From<Vec<Input>> for Request {
    /// Work without hurry.
    fn from(inputs: Vec<Input>) -> Self {
        Self { inputs, class: Class::Bulk, deadline: None }
    }
}

/// How long each stage took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Text to token ids.
    pub encode: Duration,
    /// Waiting for a worker.
    pub queue: Duration,
    /// The forward pass of its batch.
    pub compute: Duration,
    /// Logits and patterns to prediction.
    pub decode: Duration,
}

impl Timings {
    /// All stages together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.encode + self.queue + self.compute + self.decode
    }
}

/// The answer to one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the text says.
    pub prediction: Prediction,
    /// Tokens the encoder read.
    pub tokens: usize,
    /// Whether the message was longer than the model reads.
    pub truncated: bool,
    /// How long it took.
    pub timings: Timings,
}

/// Why a request has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// There is no room now, or the wait would be too long.
    #[error("the queue is full; there is room in about {} ms", .retry_after.as_millis())]
    Overloaded {
        /// When there will be room, by the measured speed.
        retry_after: Duration,
    },
    /// The answer would come, or came, after the deadline.
    #[error("the deadline has passed or cannot be met")]
    Deadline,
    /// The request can never be admitted.
    #[error("{inputs} inputs, but at most {limit} are taken at once; send fewer")]
    TooManyInputs {
        /// Inputs of the request.
        inputs: usize,
        /// The limit.
        limit: usize,
    },
    /// The tokenizer failed.
    #[error("a text cannot be encoded: {0}")]
    Encode(String),
    /// The backend failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The logits make no sense.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The engine's threads are gone.
    #[error("the engine has stopped")]
    Stopped,
}

impl EngineError {
    /// Checks that a request has no more inputs than are taken at once.
    ///
    /// # Errors
    /// When it has.
    pub fn check_inputs(inputs: usize, limit: usize) -> Result<(), Self> {
        if inputs > limit { Err(Self::TooManyInputs { inputs, limit }) } else { Ok(()) }
    }
}

impl From<EncodeError> for EngineError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error.to_string())
    }
}
