//! A watch as its client sees it: one answer without an end. Behind it the server is asked again and again for what has changed.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::time::Duration;

use bytes::Bytes;
use fencepost_sim::lease::StoreLink;
use futures_util::stream;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;
use tokio::time::Instant;
use tower::BoxError;

use crate::api::{ApiRequest, LeaseApi};

/// A change is shown at the latest so long after it, the network aside. Nothing promises that a watch is faster.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

pub struct Watch {
    request: ApiRequest,
    /// The path without the version to begin at.
    path: String,
    query: Vec<(String, String)>,
}

impl Watch {
    /// None, if the request is for something else.
    pub fn of(request: &ApiRequest) -> Option<Self> {
        request.watched()?;
        let (path, query) = request.path.split_once('?')?;
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(Self { request: request.clone(), path: path.to_owned(), query })
    }

    /// The events, beginning with those that the server has answered.
    pub fn events(self, store: StoreLink<LeaseApi>, first: Bytes) -> UnsyncBoxBody<Bytes, BoxError> {
        let seconds = self.value("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
        let ends_at = seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        let begin = WatchStream { watch: self, store, ready: Some(first), ends_at };
        let frames = stream::unfold(Some(begin), |begun| async {
            let mut begun = begun?;
            match begun.next().await {
                Ok(Some(events)) => Some((Ok(Frame::data(events)), Some(begun))),
                Ok(None) => None,
                Err(lost) => Some((Err(lost), None)),
            }
        });
        StreamBody::new(frames).boxed_unsync()
    }

    fn value(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }

    fn begin_after(&mut self, version: u64) {
        self.query.retain(|(key, _)| key != "resourceVersion");
        self.query.push(("resourceVersion".to_owned(), version.to_string()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        self.request.path = format!("{}?{query}", self.path);
    }
}

struct WatchStream {
    watch: Watch,
    store: StoreLink<LeaseApi>,
    /// An answer that has not been shown yet.
    ready: Option<Bytes>,
    /// None: it lasts until somebody drops it.
    ends_at: Option<Instant>,
}

impl WatchStream {
    /// The next events; none, once the watch has lasted as long as was asked for.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            if let Some(events) = self.ready.take().filter(|events| !events.is_empty()) {
                if let Some(version) = last_version(&events) {
                    self.watch.begin_after(version);
                }
                return Ok(Some(events));
            }
            if self.ends_at.is_some_and(|ends_at| Instant::now() >= ends_at) {
                return Ok(None);
            }
            tokio::time::sleep(LOOKS_EVERY).await;
            let answer = self.store.ask(self.watch.request.clone()).await?;
            if answer.status != 200 {
                return Err(format!("the watch was refused with {}", answer.status).into());
            }
            self.ready = Some(Bytes::from(answer.body));
        }
    }
}

/// The highest version shown. The Leases that a watch without a version shows first are in the order of their names.
fn last_version(events: &[u8]) -> Option<u64> {
    let version = |line: &[u8]| {
        let event: Value = serde_json::from_slice(line).ok()?;
        event["object"]["metadata"]["resourceVersion"].as_str()?.parse().ok()
    };
    events.trim_ascii_end().split(|byte| *byte == b'\n').filter_map(version).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_goes_on_after_the_highest_version_that_it_has_shown() {
        let event = |version| {
            format!(
                "{{\"type\": \"ADDED\", \"object\": {{\"metadata\": {{\"resourceVersion\": \"{version}\"}}}}}}\n"
            )
        };
        assert_eq!(last_version([event(5), event(2)].concat().as_bytes()), Some(5));
        assert_eq!(last_version(b""), None);
    }
}
