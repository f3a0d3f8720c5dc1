//! Stand-ins for whoever takes conversations over, each written from its specification, and what the couriers do with their moods.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How a stand-in answers the next request.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    Answer(u16),
    RetryAfter(u16, u64),
    Slow(Duration),
}

/// What a stand-in was told.
#[derive(Debug, Clone)]
pub struct Told {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

#[derive(Debug, Default)]
struct Memory {
    moods: VecDeque<Mood>,
    told: Vec<Told>,
    /// Chatwoot's conversations: status and messages.
    conversations: HashMap<String, (String, Vec<Value>)>,
}

#[derive(Debug, Clone, Default)]
pub struct Peer(Arc<Mutex<Memory>>);

impl Peer {
    pub fn told(&self) -> Vec<Told> {
        self.0.lock().unwrap().told.clone()
    }

    pub fn moods(&self, moods: &[Mood]) {
        self.0.lock().unwrap().moods.extend(moods);
    }

    pub fn conversation(&self, id: &str, status: &str) {
        self.0.lock().unwrap().conversations.insert(id.to_owned(), (status.to_owned(), Vec::new()));
    }

    pub fn read(&self, id: &str) -> (String, Vec<Value>) {
        self.0.lock().unwrap().conversations[id].clone()
    }

    fn hear(&self, path: &str, headers: HeaderMap, body: &Bytes) -> Option<Mood> {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut memory = self.0.lock().unwrap();
        memory.told.push(Told { path: path.to_owned(), headers, body, text });
        memory.moods.pop_front()
    }

    /// Waits until so many were told, or fails.
    pub async fn wait(&self, times: usize) -> Vec<Told> {
        for _ in 0..600 {
            let told = self.told();
            if told.len() >= times {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("told {} of {times} times: {:#?}", self.told().len(), self.told());
    }
}

async fn in_mood(mood: Option<Mood>) -> Option<Response> {
    match mood? {
        Mood::Answer(status) => Some(StatusCode::from_u16(status).unwrap().into_response()),
        Mood::RetryAfter(status, seconds) => {
            let headers = [("retry-after", seconds.to_string())];
            Some((StatusCode::from_u16(status).unwrap(), headers).into_response())
        }
        Mood::Slow(time) => {
            tokio::time::sleep(time).await;
            None
        }
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A receiver of webhooks, of Slack's messages or of Sunshine Conversations' `passControl`: it takes any POST.
pub async fn receiver() -> (Peer, String) {
    async fn take(State(peer): State<Peer>, Path(path): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
        let mood = peer.hear(&path, headers, &body);
        in_mood(mood).await.unwrap_or_else(|| StatusCode::OK.into_response())
    }
    let peer = Peer::default();
    let router = Router::new().route("/{*path}", post(take)).with_state(peer.clone());
    (peer, serve(router).await)
}

/// Chatwoot's API, as far as a bot hands over through it.
pub async fn chatwoot() -> (Peer, String) {
    async fn show(State(peer): State<Peer>, Path((_, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
        if headers.get("api_access_token").is_none_or(|token| token != "secret") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let memory = peer.0.lock().unwrap();
        match memory.conversations.get(&id) {
            Some((status, _)) => Json(json!({"id": id, "status": status, "can_reply": true})).into_response(),
            None => (StatusCode::NOT_FOUND, Json(json!({"error": "Resource could not be found"}))).into_response(),
        }
    }
    async fn list(State(peer): State<Peer>, Path((_, id)): Path<(String, String)>) -> Json<Value> {
        let memory = peer.0.lock().unwrap();
        Json(json!({"meta": {}, "payload": memory.conversations.get(&id).map(|(_, messages)| messages.clone())}))
    }
    async fn write(State(peer): State<Peer>, Path((_, id)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
        let mood = peer.hear("messages", headers, &body);
        if let Some(answer) = in_mood(mood).await {
            return answer;
        }
        let message: Value = serde_json::from_slice(&body).unwrap();
        let mut memory = peer.0.lock().unwrap();
        memory.conversations.get_mut(&id).unwrap().1.push(message.clone());
        Json(message).into_response()
    }
    async fn toggle(State(peer): State<Peer>, Path((_, id)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
        let mood = peer.hear("toggle_status", headers, &body);
        if let Some(answer) = in_mood(mood).await {
            return answer;
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        let status = body["status"].as_str().unwrap().to_owned();
        peer.0.lock().unwrap().conversations.get_mut(&id).unwrap().0.clone_from(&status);
        Json(json!({"meta": {}, "payload": {"success": true, "current_status": status, "conversation_id": id}})).into_response()
    }
    let peer = Peer::default();
    let base = "/api/v1/accounts/{account}/conversations/{id}";
    let router = Router::new()
        .route(base, get(show))
        .route(&format!("{base}/messages"), get(list).post(write))
        .route(&format!("{base}/toggle_status"), post(toggle))
        .with_state(peer.clone());
    (peer, serve(router).await)
}

/// A server that breaks off in the body of its first answers, and then answers as it should.
pub async fn breaking(times: usize) -> (Arc<Mutex<usize>>, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let number = {
                let mut asked = counter.lock().unwrap();
                *asked += 1;
                *asked
            };
            let mut buffer = vec![0; 65536];
            let _ = socket.read(&mut buffer).await;
            let answer: &[u8] = if number <= times {
                b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhal"
            } else {
                b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
            };
            let _ = socket.write_all(answer).await;
        }
    });
    (asked, format!("http://{address}/hook"))
}
