//! What is asked. Unknown fields are errors.

use crate::conversation::Role;
use crate::text::OffsetUnit;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// Part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// What the customer wants.
    Intent,
    /// Which things are named.
    Entities,
    /// How the customer feels.
    Sentiment,
    /// Which emotions show.
    Emotions,
}

impl Task {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Intent, Self::Entities, Self::Sentiment, Self::Emotions];
}

/// A structure written as a JSON object. serde would take an array of the fields' values as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// What is to be classified.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the document's form of `RequestBody::input`, which is read by hand so that each fault has its place")]
pub enum Input {
    /// One message.
    Text(String),
    /// Several messages.
    Texts(Vec<String>),
    /// Messages with what is known of them.
    Objects(Vec<InputObject>),
}

/// The body of a request, its inputs not yet read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// A string, an array of strings, or an array of objects.
    #[schema(value_type = Input)]
    pub input: serde_json::Value,
    /// Parts of the answer that are wanted; all without it.
    #[schema(min_items = 1)]
    pub tasks: Option<Vec<Task>>,
    /// Options.
    #[schema(value_type = Option<RequestOptions>)]
    pub options: Option<Object<RequestOptions>>,
}

/// Options of a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestOptions {
    /// Most intents in the ranking.
    #[schema(minimum = 1, default = 3)]
    pub top_k: usize,
    /// What offsets count.
    pub offset_unit: OffsetUnit,
    /// Whether messages longer than the model reads are cut (or refused).
    pub truncate: bool,
    /// The model's slot: `stable` or `shadow`.
    #[schema(default = "stable")]
    pub model: String,
    /// Whether to say which words made the answer.
    pub explain: bool,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self { top_k: 3, offset_unit: OffsetUnit::Codepoint, truncate: true, model: "stable".to_owned(), explain: false }
    }
}

/// One input as an object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InputObject {
    /// Given back in the answer; in a conversation, a message that comes again under the same id is answered again and counts once.
    pub id: Option<String>,
    /// The message.
    #[schema(min_length = 1, max_length = 16384)]
    pub text: String,
    /// The conversation that the message belongs to: it is remembered, and read beside what was said before.
    #[schema(min_length = 1, max_length = 256)]
    pub conversation_id: Option<String>,
    /// What was said before, oldest first. In a conversation, what others said since the customer's last message is remembered from it.
    #[schema(value_type = Option<Vec<ContextTurn>>, max_items = 200)]
    pub context: Option<Vec<Object<ContextTurn>>>,
    /// BCP 47 tag; its region settles national phone numbers and dates.
    pub language: Option<String>,
    /// When the message was written, RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<String>,
    /// IANA name; relative dates are resolved in it.
    pub timezone: Option<String>,
    /// Where the message came in.
    pub channel: Option<String>,
    /// Who wrote it.
    #[schema(value_type = Option<Customer>)]
    pub customer: Option<Object<Customer>>,
    /// Whatever the caller likes to add.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A turn before the message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTurn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    #[schema(min_length = 1, max_length = 16384)]
    pub text: String,
}

/// Who wrote a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The shop's identifier.
    pub id: Option<String>,
    /// A group such as `vip`.
    pub segment: Option<String>,
}
