//! The simulated table as the HTTP client that the AWS SDK takes.

use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Credentials, Region, StalledStreamProtectionConfig,
};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use fencepost::environment::BoxFuture;
use fencepost_sim::lease::{ConnectionLost, LeaseStore, StoreLink};

use crate::table::{Table, TableAnswer, TableRequest};

/// A way to the table.
trait Way: Clone + Send + Sync + 'static {
    fn ask(&self, request: TableRequest) -> BoxFuture<'static, Result<TableAnswer, ConnectionLost>>;
}

impl Way for StoreLink<Table> {
    fn ask(&self, request: TableRequest) -> BoxFuture<'static, Result<TableAnswer, ConnectionLost>> {
        let link = self.clone();
        Box::pin(async move { StoreLink::ask(&link, request).await })
    }
}

impl Way for Arc<Table> {
    fn ask(&self, request: TableRequest) -> BoxFuture<'static, Result<TableAnswer, ConnectionLost>> {
        let answer = self.answer(&request);
        Box::pin(async move { Ok(answer) })
    }
}

/// The SDK's client as anybody has it, with its timers and its repeats, over the simulated network.
pub fn client_over(link: StoreLink<Table>) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(config(link).build())
}

/// A client beside the table. Nothing is lost between them, so nothing is waited for or repeated, and no tokio is needed.
pub fn client_beside(table: &Arc<Table>) -> aws_sdk_dynamodb::Client {
    let config = config(Arc::clone(table)).sleep_impl(NoTimers).retry_config(RetryConfig::disabled());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn config(way: impl Way) -> Builder {
    let connector = SharedHttpConnector::new(Connector(way));
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("simulated"))
        .endpoint_url("http://dynamodb.simulated")
        .credentials_provider(Credentials::new("nobody", "nothing", None, None, "simulated"))
        // It would start timers of its own for bodies, which are whole here.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
}

struct Connector<W>(W);

impl<W> fmt::Debug for Connector<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl<W: Way> HttpConnector for Connector<W> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = self.0.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let answer = way.ask(TableRequest { target, body }).await;
            let answer = answer.map_err(|lost| ConnectorError::io(lost.into()))?;
            let status = answer.status.try_into();
            let status = status.map_err(|error| ConnectorError::other(Box::new(error), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(answer.body)))
        })
    }
}

/// Nobody waits here long enough for a timeout.
#[derive(Debug)]
struct NoTimers;

impl AsyncSleep for NoTimers {
    fn sleep(&self, _: std::time::Duration) -> Sleep {
        Sleep::new(std::future::pending())
    }
}
