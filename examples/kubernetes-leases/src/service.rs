//! The simulated API server as the tower service that `kube::Client::new` takes, whatever release of kube it is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use fencepost_sim::lease::StoreLink;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Service};

use crate::api::{ApiRequest, LeaseApi, Verb};
use crate::watch::Watch;

/// Sends requests to the API server over the simulated network.
#[derive(Clone)]
pub struct ApiService(pub StoreLink<LeaseApi>);

impl<B> Service<Request<B>> for ApiService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<UnsyncBoxBody<Bytes, BoxError>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let store = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let verb = match parts.method {
                Method::GET => Verb::Get,
                Method::POST => Verb::Post,
                Method::PUT => Verb::Put,
                Method::PATCH => Verb::Patch,
                other => return Err(format!("the simulated API server knows no {other}").into()),
            };
            let body = body.collect().await.map_err(Into::into)?.to_bytes().to_vec();
            let content_type = parts.headers.get(http::header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
            let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let request = ApiRequest { verb, path, content_type: content_type.to_owned(), body };
            let answer = store.ask(request.clone()).await?;
            let (status, first) = (answer.status, Bytes::from(answer.body));
            let body = match Watch::of(&request).filter(|_| status == 200) {
                Some(watch) => watch.events(store, first),
                None => Full::new(first).map_err(|never| match never {}).boxed_unsync(),
            };
            let response = Response::builder()
                .status(status)
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body)?;
            Ok(response)
        })
    }
}

/// A crate's own task that has panicked panics here, where the simulation tells of it.
pub fn pass_on_panics<T>(ended: Result<T, tokio::task::JoinError>) {
    if let Err(failed) = ended
        && let Ok(panic) = failed.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
