//! The server behind a socket: slow and vanished clients, the end without a lost answer, encryption, traces.

use crate::shop::service;
use hearken::config::ServeConfig;
use hearken::http::{Service, serve};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

const REQUEST: &str =
    "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"input\": \"hi\"}";

/// A server, its address, and what stops it.
fn start(
    config: ServeConfig,
) -> (Arc<Service>, SocketAddr, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<std::io::Result<()>>) {
    let service = service("tiny", config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(serve(Arc::clone(&service), listener, None, async move { drop(stopped.await) }));
    (service, address, stop, running)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads until an answer is whole, or the other side closes.
fn answer(stream: &mut TcpStream) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains("}]") && !text.contains("\"usage\"") {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(n) => text.push_str(std::str::from_utf8(&bytes[..n]).unwrap()),
        }
    }
    text
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_half_of_it_is_hung_up_on_and_others_are_served() {
    let (_, address, stop, running) = start(ServeConfig { header_timeout_ms: 300, deadline_ms: 300, ..ServeConfig::default() });
    blocking(move || {
        let begun = Instant::now();
        let mut silent: Vec<TcpStream> = ["", "POST /v1/cla", &REQUEST[..REQUEST.len() - 4]]
            .iter()
            .map(|part| {
                let mut stream = connect(address);
                stream.write_all(part.as_bytes()).unwrap();
                stream
            })
            .collect();
        let mut other = connect(address);
        other.write_all(REQUEST.as_bytes()).unwrap();
        assert!(answer(&mut other).starts_with("HTTP/1.1 200"));
        let ends: Vec<String> = silent
            .iter_mut()
            .map(|stream| {
                let mut text = String::new();
                drop(stream.read_to_string(&mut text));
                text
            })
            .collect();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(ends[2].starts_with("HTTP/1.1 408"), "half a body: {}", ends[2]);
    })
    .await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_and_places_come_back() {
    let (_, address, stop, running) = start(ServeConfig { max_connections: 2, ..ServeConfig::default() });
    blocking(move || {
        let ask = |mut stream: TcpStream| {
            drop(stream.write_all(REQUEST.as_bytes()));
            let text = answer(&mut stream);
            (stream, text.starts_with("HTTP/1.1 200"))
        };
        let held: Vec<_> = (0..2).map(|_| ask(connect(address))).collect();
        assert!(held.iter().all(|(_, answered)| *answered));
        assert!(!ask(connect(address)).1, "there is no third place");
        drop(held);
        let again = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            ask(connect(address)).1
        });
        assert!(again, "the places came back");
    })
    .await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_waits_for_every_answer_and_takes_nothing_new() {
    let (service, address, stop, running) = start(ServeConfig { queue: 4096, max_inputs: 2048, ..ServeConfig::default() });
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::task::spawn_blocking(move || {
                let mut stream = connect(address);
                let body = format!("{{\"input\": [{}]}}", vec!["\"where is my order\""; 200].join(","));
                let head = "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
                write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                text
            })
        })
        .collect();
    while service.slots.stable().queue_depth() < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.send(()).unwrap();
    for client in clients {
        let text = client.await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with('}'), "{}", text.get(..200).unwrap_or(&text));
    }
    running.await.unwrap().unwrap();
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err(), "nobody listens any more");
}

#[cfg(feature = "otlp")]
#[tokio::test(flavor = "multi_thread")]
async fn spans_of_a_request_reach_a_collector_within_the_callers_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (mut all, mut bytes) = (Vec::new(), [0; 8192]);
        loop {
            let n = stream.read(&mut bytes).unwrap();
            all.extend_from_slice(&bytes[..n]);
            let text = String::from_utf8_lossy(&all).into_owned();
            let length =
                text.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            let head = all.windows(4).position(|window| window == b"\r\n\r\n");
            if n == 0 || head.zip(length).is_some_and(|(head, length)| all.len() >= head + 4 + length) {
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n").unwrap();
        all
    });
    let exporting = hearken::telemetry::export(&endpoint).unwrap();
    let (_, address, stop, running) = start(ServeConfig::default());
    let trace = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36u8];
    let text = blocking(move || {
        let mut stream = connect(address);
        let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
        stream.write_all(REQUEST.replacen("Host: x\r\n", &format!("Host: x\r\n{parent}"), 1).as_bytes()).unwrap();
        answer(&mut stream)
    })
    .await;
    assert!(text.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{text}");
    blocking(move || drop(exporting)).await;
    let received = blocking(move || received.join().unwrap()).await;
    let has = |part: &[u8]| received.windows(part.len()).any(|window| window == part);
    for name in ["POST /v1/classify", "parse", "tokenise", "queue", "compute", "decode", "decide", "hearken"] {
        assert!(has(name.as_bytes()), "{name} is missing");
    }
    assert!(has(&trace), "the trace is the caller's");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_served_and_exchanged_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let issue = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    };
    let first = issue();
    let certificate = hearken::http::certificate(&chain, &key).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = service("tiny", ServeConfig::default());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(serve(service, listener, Some(certificate.clone()), async move { drop(stopped.await) }));
    // What a client that trusts one certificate alone is answered.
    let ask = async |trusted: &rustls::pki_types::CertificateDer<'static>| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        blocking(move || {
            let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let client = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
            let mut stream = rustls::StreamOwned::new(client, connect(address));
            let mut text = vec![0; 12];
            stream.write_all(REQUEST.as_bytes()).and_then(|()| stream.read_exact(&mut text)).map(|()| String::from_utf8(text).unwrap())
        })
        .await
    };
    assert_eq!(ask(&first).await.unwrap(), "HTTP/1.1 200");
    let second = issue();
    certificate.reload_from_pem_file(&chain, &key).await.unwrap();
    assert_eq!(ask(&second).await.unwrap(), "HTTP/1.1 200");
    assert!(ask(&first).await.is_err(), "the old certificate is not served any more");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
