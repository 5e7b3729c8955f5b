//! A log shipper made of the official `lambda-extension` crate, as a sensible user would write it in an hour, and small:
//! one thread, no TLS, no tracing, optimised for size.
//!
//! It registers for INVOKE and SHUTDOWN, subscribes to platform and function telemetry with the shortest buffering that
//! Lambda offers, and posts each delivery as one OTLP/JSON request to `OTEL_EXPORTER_OTLP_ENDPOINT`. Lambda's request is
//! answered when the collector has answered. On SHUTDOWN it waits for the last delivery and ends.
//!
//! What it does not do, and others here do: retry or keep anything when the collector fails (it prints a line, and the batch is
//! lost), bound its memory or the time of a POST, hold an invocation until its lines are shipped, account for losses, read
//! levels, JSON lines or trace contexts, resolve what a freeze has broken. The crate itself refuses a whole delivery that
//! holds an event it does not know or a record that is an object, and opens its listener anew for each connection.

mod otlp;

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_extension::{
    Error, Extension, LambdaEvent, LambdaTelemetry, LogBuffering, NextEvent, SharedService,
    service_fn,
};
use tokio::sync::Mutex;

/// Longer than the buffering asked for: then the last delivery has come.
const LAST_DELIVERY: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let shipper = Arc::new(Mutex::new(Shipper::new()));
    let ending = shipper.clone();
    let telemetry = service_fn(move |events: Vec<LambdaTelemetry>| {
        let shipper = shipper.clone();
        async move { shipper.lock().await.ship(events).await }
    });
    let events = service_fn(move |event: LambdaEvent| {
        let shipper = ending.clone();
        async move {
            if let NextEvent::Shutdown(_) = event.next {
                tokio::time::sleep(LAST_DELIVERY).await;
                let _idle = shipper.lock().await;
                std::process::exit(0);
            }
            Ok::<(), Error>(())
        }
    });
    Extension::new()
        .with_events(&["INVOKE", "SHUTDOWN"])
        .with_events_processor(events)
        .with_telemetry_types(&["platform", "function"])
        .with_telemetry_buffering(LogBuffering {
            timeout_ms: 25,
            max_bytes: 262_144,
            max_items: 10_000,
        })
        .with_telemetry_processor(SharedService::new(telemetry))
        .run()
        .await
}

/// Posts deliveries, one at a time.
struct Shipper {
    client: Client<HttpConnector, Full<Bytes>>,
    url: Option<String>,
    /// Of the invocation that started last in the stream.
    request_id: Option<String>,
}

impl Shipper {
    fn new() -> Shipper {
        let endpoint = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
        Shipper {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: endpoint.map(|endpoint| format!("{}/v1/logs", endpoint.trim_end_matches('/'))),
            request_id: None,
        }
    }

    async fn ship(&mut self, events: Vec<LambdaTelemetry>) -> Result<(), Error> {
        let Some(url) = &self.url else {
            return Ok(());
        };
        let body = otlp::encode(events, &mut self.request_id)?;
        let request = Request::post(url)
            .header("content-type", "application/json")
            .body(Full::from(body))?;
        let answer = self.client.request(request).await?;
        let status = answer.status();
        // The connection is used again only if the answer was read to its end.
        answer.into_body().collect().await?;
        match status.is_success() {
            true => Ok(()),
            false => Err(format!("the collector answers {status}").into()),
        }
    }
}
