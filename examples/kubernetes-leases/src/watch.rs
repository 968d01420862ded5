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
        let (path, query) = request.path.split_once('?')?;
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let is_watch = query.iter().any(|(key, value)| key == "watch" && value == "true");
        is_watch.then(|| Self { request: request.clone(), path: path.to_owned(), query })
    }

    /// The events, beginning with those that the server has answered.
    pub fn events(self, store: StoreLink<LeaseApi>, first: Bytes) -> UnsyncBoxBody<Bytes, BoxError> {
        let seconds = self.value("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
        let looks_left = seconds.map_or(u64::MAX, |seconds: u64| seconds * 1_000 / 100);
        let begin = Begun { watch: self, store, ready: Some(first), looks_left };
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

    fn since(&mut self, version: &str) {
        self.query.retain(|(key, _)| key != "resourceVersion");
        self.query.push(("resourceVersion".to_owned(), version.to_owned()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        self.request.path = format!("{}?{query}", self.path);
    }
}

struct Begun {
    watch: Watch,
    store: StoreLink<LeaseApi>,
    /// An answer that has not been shown yet.
    ready: Option<Bytes>,
    looks_left: u64,
}

impl Begun {
    /// The next events; none, once the watch has lasted as long as was asked for.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            if let Some(events) = self.ready.take().filter(|events| !events.is_empty()) {
                if let Some(version) = last_version(&events) {
                    self.watch.since(&version);
                }
                return Ok(Some(events));
            }
            if self.looks_left == 0 {
                return Ok(None);
            }
            self.looks_left -= 1;
            tokio::time::sleep(LOOKS_EVERY).await;
            let answer = self.store.ask(self.watch.request.clone()).await?;
            self.ready = Some(Bytes::from(answer.body));
        }
    }
}

fn last_version(events: &[u8]) -> Option<String> {
    let last = events.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    let event: Value = serde_json::from_slice(last).ok()?;
    event["object"]["metadata"]["resourceVersion"].as_str().map(str::to_owned)
}
