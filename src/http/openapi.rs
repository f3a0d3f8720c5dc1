//! The OpenAPI 3.1 document, made from the types and handlers themselves, and its page.

use super::compat;
use super::problem::Document;
use super::routes::handovers::DeliveryState;
use super::routes::{analytics, backtest, classify, conversations, events, handovers, models, policy, probes, stream};
use crate::analytics::{Bucket, Grouping};
use crate::store::HandoverState;
use std::collections::BTreeMap;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

/// Where the document lies.
pub const PATH: &str = "/openapi.json";
/// Where its page lies.
pub const PAGE: &str = "/docs";

/// The document of the native routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "hearken", description = "Reads what a customer writes: intent, entities and sentiment in one transformer pass, and whether a human should take over."),
    paths(
        classify::classify, stream::stream, conversations::read, conversations::erase, conversations::hand_over, conversations::resume,
        events::record, handovers::list, handovers::read, handovers::retry, policy::read, policy::replace, backtest::run, analytics::summary,
        analytics::sentiment, analytics::intents, analytics::escalations, analytics::pain_points, analytics::review, models::list, models::load, models::clear, models::promote, models::roll_back, probes::live,
        probes::ready, probes::started, probes::metrics
    ),
    components(schemas(Document, Bucket, Grouping, HandoverState, DeliveryState)),
    modifiers(&Keys),
    security((), ("key" = []))
)]
struct Native;

/// API keys, where the server has any.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("A key that `hearken key new` made. A server without keys wants none.".to_owned());
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// The whole document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    compat::documents().into_iter().fold(Native::openapi(), |mut all, dialect| {
        all.merge(dialect);
        all
    })
}

/// Method and path of every route in the document.
#[must_use]
pub fn routes() -> Vec<(String, String)> {
    let value = serde_json::to_value(document()).unwrap_or_default();
    let paths = value.get("paths").and_then(serde_json::Value::as_object).into_iter().flatten();
    let methods = |(path, item): (&String, &serde_json::Value)| {
        let methods = item.as_object().into_iter().flat_map(|item| item.keys());
        let known = methods.filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()));
        known.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.flat_map(methods).collect()
}

/// What a route that takes a body may answer instead.
pub struct BodyProblems;

/// What a route without a body may answer instead.
pub struct Problems;

const EVERYWHERE: [(&str, &str); 5] = [
    ("401", "No key, or one that is not known"),
    ("403", "The key has not the scope"),
    ("405", "The route does not take this method"),
    ("429", "Overloaded, or the key's requests are used up; Retry-After says when to come again"),
    ("500", "The server failed; the log has the reason under the request's id"),
];

const WITH_BODY: [(&str, &str); 7] = [
    ("400", "Not JSON, or a header that makes no sense"),
    ("408", "The body came too slowly"),
    ("413", "The body or the batch is too large"),
    ("415", "The content type is not JSON"),
    ("422", "The request means nothing; `errors` points at the places"),
    ("503", "The server is stopping, or the store failed; Retry-After says when to come again"),
    ("504", "No answer before the deadline"),
];

/// What a route of a slot may answer beside the rest.
pub struct SlotProblems;

/// What a message of a conversation may be answered beside the rest.
pub struct ConversationProblems;

/// What a route about what is stored may answer beside the rest.
pub struct StateProblems;

/// What a compatibility route may answer instead, in the other system's form.
pub struct ForeignProblems;

type Responses = BTreeMap<String, RefOr<Response>>;

fn responses(of: impl IntoIterator<Item = (&'static str, &'static str)>, media_type: &str, content: &Content) -> Responses {
    let response = |(status, description): (&str, &str)| {
        let response = ResponseBuilder::new().description(description).content(media_type, content.clone()).build();
        (status.to_owned(), RefOr::T(response))
    };
    of.into_iter().map(response).collect()
}

fn problems(of: impl IntoIterator<Item = (&'static str, &'static str)>) -> Responses {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    responses(of, "application/problem+json", &content)
}

impl IntoResponses for BodyProblems {
    fn responses() -> Responses {
        problems(EVERYWHERE.into_iter().chain(WITH_BODY))
    }
}

impl IntoResponses for Problems {
    fn responses() -> Responses {
        problems(EVERYWHERE.into_iter().chain([("503", "The server is stopping or has stopped")]))
    }
}

impl IntoResponses for SlotProblems {
    fn responses() -> Responses {
        problems([("404", "There is no such slot"), ("409", "Not possible in this state")])
    }
}

impl IntoResponses for ConversationProblems {
    fn responses() -> Responses {
        problems([("409", "An id came again with another text, or the server keeps no conversations")])
    }
}

impl IntoResponses for StateProblems {
    fn responses() -> Responses {
        problems([
            ("404", "There is no such thing"),
            ("409", "Not possible in this state, or the server keeps no conversations"),
            ("422", "The request means nothing"),
            ("503", "The store failed, or the server is stopping"),
        ])
    }
}

impl IntoResponses for ForeignProblems {
    fn responses() -> Responses {
        let statuses = EVERYWHERE.into_iter().chain(WITH_BODY).filter(|(status, _)| *status != "415");
        responses(statuses.chain([("404", "There is no such model")]), "application/json", &ContentBuilder::new().build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::ToSchema as _;

    #[test]
    fn no_two_parts_of_the_document_give_one_name_to_different_things() {
        let schemas = |document: utoipa::openapi::OpenApi| {
            let value = serde_json::to_value(document).unwrap();
            value["components"]["schemas"].as_object().cloned().unwrap_or_default()
        };
        let mut known = schemas(Native::openapi());
        for dialect in compat::documents() {
            for (name, schema) in schemas(dialect) {
                assert_eq!(*known.entry(name.clone()).or_insert_with(|| schema.clone()), schema, "{name}");
            }
        }
    }

    #[test]
    fn the_document_is_openapi_3_1_and_its_references_lead_somewhere() {
        let text = document().to_json().unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value["openapi"].as_str().unwrap().starts_with("3.1"), "{}", value["openapi"]);
        for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(value.pointer(reference).is_some(), "{reference}");
        }
        assert_eq!(Document::name(), "Problem");
    }
}
