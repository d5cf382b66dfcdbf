//! `healthcheck`: the container image has no shell and no curl, so the binary itself requests `/livez`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, ensure};
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::config::Config;

const DEADLINE: Duration = Duration::from_secs(3);

/// Succeeds when `/livez` answers 200 within the timeout.
pub(super) async fn healthcheck(config: &Config) -> anyhow::Result<()> {
    let address = on_this_machine(config.http.bind);
    let answer = timeout(DEADLINE, ask(address)).await;
    answer.context("no answer in time")?.with_context(|| format!("{address} is not well"))
}

async fn ask(address: SocketAddr) -> anyhow::Result<()> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    let request = Request::get("/livez").header("host", address.to_string()).body(Body::empty())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    ensure!(status.is_success(), "it answered {status}");
    Ok(())
}

/// The address to connect to: loopback where the service listens on all addresses.
fn on_this_machine(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}
