//! Hugging Face's task endpoints, as its hosted inference answers them: the `text_classification` and `token_classification` of
//! `huggingface_hub.InferenceClient` and huggingface.js read these shapes.

use super::{Call, Dialect, one_or_all};
use crate::engine::Outcome;
use crate::heads::Sentiment;
use crate::http::openapi::ForeignProblems;
use crate::http::parse::typed;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::text::{OffsetUnit, Utterance};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

/// The dialect.
pub const DIALECT: Dialect = Dialect { routes, document: Document::openapi, error };

/// Its part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(intents, sentiments, tokens))]
struct Document;

fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/pipeline/text-classification", post(intents))
        .route("/pipeline/sentiment-analysis", post(sentiments))
        .route("/pipeline/token-classification", post(tokens))
}

fn error(problem: &Problem) -> Value {
    json!({"error": problem.detail, "error_type": problem.code})
}

/// One text or several.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Inputs {
    One(String),
    Many(Vec<String>),
}

impl Inputs {
    fn texts(self) -> Vec<(String, String)> {
        match self {
            Self::One(text) => vec![(text, "/inputs".to_owned())],
            Self::Many(texts) => texts.into_iter().enumerate().map(|(i, text)| (text, format!("/inputs/{i}"))).collect(),
        }
    }
}

/// What the classifying pipelines take; they let other fields, such as `options`, be.
#[derive(Deserialize, ToSchema)]
struct ClassificationBody {
    inputs: Inputs,
    parameters: Option<ClassificationParameters>,
}

/// What the pipeline of tokens takes.
#[derive(Deserialize, ToSchema)]
struct TokenBody {
    inputs: Inputs,
    parameters: Option<TokenParameters>,
}

#[derive(Deserialize, Default, ToSchema)]
struct ClassificationParameters {
    top_k: Option<usize>,
    function_to_apply: Option<String>,
}

#[derive(Deserialize, Default, ToSchema)]
struct TokenParameters {
    ignore_labels: Option<Vec<String>>,
    aggregation_strategy: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Labelled {
    label: String,
    score: f32,
}

#[derive(Serialize, ToSchema)]
struct Found {
    entity_group: String,
    score: f32,
    word: String,
    start: usize,
    end: usize,
}

#[utoipa::path(post, path = "/pipeline/text-classification", tag = "huggingface", request_body = ClassificationBody, responses((status = 200, body = Vec<Vec<Labelled>>), ForeignProblems))]
async fn intents(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<Vec<Vec<Labelled>>>, Problem> {
    classification(service, headers, body, |outcome| {
        let intent = outcome.prediction.intent.as_ref().ok_or("intents")?;
        Ok(intent.ranking.iter().map(|(label, score)| Labelled { label: label.clone(), score: *score }).collect())
    })
    .await
}

#[utoipa::path(post, path = "/pipeline/sentiment-analysis", tag = "huggingface", request_body = ClassificationBody, responses((status = 200, body = Vec<Vec<Labelled>>), ForeignProblems))]
async fn sentiments(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<Vec<Vec<Labelled>>>, Problem> {
    classification(service, headers, body, |outcome| {
        let sentiment = outcome.prediction.sentiment.ok_or("sentiment")?;
        let labelled = |(label, score): (&Sentiment, f32)| Labelled { label: label.name().to_owned(), score };
        let mut all: Vec<_> = Sentiment::ALL.iter().zip(sentiment.probabilities).map(labelled).collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(all)
    })
    .await
}

/// Labels of each text, best first: a list in a list for one text too, as the hosted pipelines have it.
async fn classification(
    service: Arc<Service>,
    headers: HeaderMap,
    body: Body,
    labels: impl Fn(&Outcome) -> Result<Vec<Labelled>, &'static str>,
) -> Result<Json<Vec<Vec<Labelled>>>, Problem> {
    let (call, body) = Call::read(service, &headers, body).await?;
    let ClassificationBody { inputs, parameters } = typed(&body)?;
    let parameters = parameters.unwrap_or_default();
    if parameters.function_to_apply.is_some_and(|function| function != "softmax") {
        return Err(Problem::invalid("/parameters/function_to_apply", "only `softmax` can be had: scores are calibrated probabilities"));
    }
    let outcomes = call.classify(inputs.texts()).await?;
    let top = |(_, outcome): &(Utterance, Outcome)| {
        let mut found = labels(outcome).map_err(|what| Problem::invalid("", format!("this model knows no {what}")))?;
        found.truncate(parameters.top_k.unwrap_or(usize::MAX));
        Ok(found)
    };
    outcomes.iter().map(top).collect::<Result<_, Problem>>().map(Json)
}

#[utoipa::path(post, path = "/pipeline/token-classification", tag = "huggingface", request_body = TokenBody, responses((status = 200, body = Vec<Found>), ForeignProblems))]
async fn tokens(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let (call, body) = Call::read(service, &headers, body).await?;
    let TokenBody { inputs, parameters } = typed(&body)?;
    let parameters = parameters.unwrap_or_default();
    if parameters.aggregation_strategy.is_some_and(|strategy| strategy == "none") {
        return Err(Problem::invalid("/parameters/aggregation_strategy", "`none` cannot be had: entities are whole words; leave it out"));
    }
    let ignored = parameters.ignore_labels.unwrap_or_default();
    let one = matches!(inputs, Inputs::One(_));
    let outcomes = call.classify(inputs.texts()).await?;
    let groups = |(text, outcome): &(Utterance, Outcome)| -> Vec<Found> {
        let group = |found: &crate::patterns::Entity| {
            let (start, end) = found.span.offsets(text, OffsetUnit::Codepoint);
            Found { entity_group: found.label.clone(), score: found.score, word: found.span.slice(text).to_owned(), start, end }
        };
        outcome.prediction.entities.iter().flatten().filter(|found| !ignored.contains(&found.label)).map(group).collect()
    };
    Ok(one_or_all(outcomes.iter().map(groups).collect(), one))
}
