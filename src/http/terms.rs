//! On which terms a request wants its answer: until when, and who waits for it.

use super::problem::Problem;
use crate::batch::Class;
use axum::http::HeaderMap;
use std::time::{Duration, Instant};

/// Milliseconds in which the client wants its answer; the server's own deadline is the longest.
pub const TIMEOUT: &str = "x-request-timeout-ms";
/// `interactive` or `bulk`.
pub const CLASS: &str = "x-request-class";
/// Requests of more messages than this are bulk unless they say otherwise.
const MOST_INTERACTIVE: usize = 8;

/// Terms of a request.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// When the answer is worth nothing any more.
    pub deadline: Instant,
    class: Option<Class>,
}

impl Terms {
    /// Reads the headers of a request that begins now; `longest` is the server's own deadline.
    ///
    /// # Errors
    /// 400 when a header makes no sense.
    pub fn read(headers: &HeaderMap, longest: Duration) -> Result<Self, Problem> {
        let timeout = match headers.get(TIMEOUT) {
            None => longest,
            Some(value) => {
                let ms = value.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|ms| *ms > 0);
                Duration::from_millis(ms.ok_or_else(|| Problem::header(TIMEOUT, "send a whole number of milliseconds, 1 or more"))?)
                    .min(longest)
            }
        };
        let class = match headers.get(CLASS).map(axum::http::HeaderValue::as_bytes) {
            None => None,
            Some(b"interactive") => Some(Class::Interactive),
            Some(b"bulk") => Some(Class::Bulk),
            Some(_) => return Err(Problem::header(CLASS, "send `interactive` or `bulk`")),
        };
        Ok(Self { deadline: Instant::now() + timeout, class })
    }

    /// Terms of work that nobody waits for.
    #[must_use]
    pub fn bulk(longest: Duration) -> Self {
        Self { deadline: Instant::now() + longest, class: Some(Class::Bulk) }
    }

    /// The class of a request of so many messages.
    #[must_use]
    pub fn class(&self, messages: usize) -> Class {
        let by_size = if messages > MOST_INTERACTIVE { Class::Bulk } else { Class::Interactive };
        self.class.unwrap_or(by_size)
    }
}
