//! The socket: connections within limits, encrypted where that was asked, and an end that loses no answer.

use super::server::Service;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that a connection may hold of a request's head.
const HEAD_BYTES: usize = 32 << 10;
/// Headers of a request.
const HEADERS: usize = 64;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests are still taken after the signal to stop, while the server says that it is not ready: those on their way arrive.
const NOTICE: Duration = Duration::from_millis(500);
/// How often metrics that grow are tidied up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The certificate of a server, which can be exchanged while it runs.
pub type Certificate = RustlsConfig;

/// Reads a certificate chain and its key.
///
/// # Errors
/// When they cannot be read or do not fit.
pub async fn certificate(chain: &std::path::Path, key: &std::path::Path) -> io::Result<Certificate> {
    // Another part of the process may have chosen it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    RustlsConfig::from_pem_file(chain, key).await
}

/// Serves until `stop` completes, then lets requests under way finish.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    certificate: Option<Certificate>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let (signal, ending) = (Arc::clone(&service), handle.clone());
    tokio::spawn(async move {
        stop.await;
        signal.leave();
        tokio::time::sleep(NOTICE).await;
        signal.drain();
        ending.graceful_shutdown(Some(Duration::from_secs(signal.config.drain_seconds)));
    });
    let metrics = service.metrics.clone();
    let upkeep = tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            metrics.run_upkeep();
        }
    });
    let bounded = Bounded { places: Arc::new(Semaphore::new(service.config.max_connections)) };
    let server = axum_server::from_tcp(listener)?.handle(handle);
    let routes = service.router().into_make_service();
    let result = match certificate {
        Some(certificate) => {
            let acceptor = RustlsAcceptor::new(certificate).handshake_timeout(HANDSHAKE).acceptor(bounded);
            within_limits(server.acceptor(acceptor), &service).serve(routes).await
        }
        None => within_limits(server.acceptor(bounded), &service).serve(routes).await,
    };
    upkeep.abort();
    result
}

fn within_limits<A>(server: Server<SocketAddr, A>, service: &Service) -> Server<SocketAddr, A> {
    let timeout = Duration::from_millis(service.config.header_timeout_ms);
    let mut server = server.http1_only();
    // The timeout is also the longest that an idle connection is kept.
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(timeout).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    server
}

/// Takes no more connections than there are places; the rest are closed at once.
#[derive(Debug, Clone)]
struct Bounded {
    places: Arc<Semaphore>,
}

impl<S: Send + 'static> Accept<TcpStream, S> for Bounded {
    type Stream = TcpStream;
    type Service = Held<S>;
    type Future = std::future::Ready<io::Result<(TcpStream, Held<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| io::Error::other("too many connections (max_connections)"));
        let accepted = place.and_then(|place| {
            stream.set_nodelay(true)?;
            Ok((stream, Held { service, _place: Arc::new(place) }))
        });
        std::future::ready(accepted)
    }
}

/// The service of a connection, with its place.
#[derive(Debug, Clone)]
struct Held<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: tower::Service<R>> tower::Service<R> for Held<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}
