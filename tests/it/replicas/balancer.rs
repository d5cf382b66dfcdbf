//! haproxy with the configuration that we ship.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::support::{
    DEADLINE,
    program::{Program, free_port, server_program},
};

/// haproxy, in front of two servers of each kind.
pub struct Balancer(Program);

impl Balancer {
    /// In front of receivers: where they take callbacks, and where they answer questions.
    pub async fn of_receivers(receivers: [(u16, u16); 2]) -> Self {
        let [one, two] = receivers;
        let balancer = Self::start(
            "haproxy.cfg",
            &[
                ("CALLBACKS_BIND", free_port()),
                ("QUESTIONS_BIND", free_port()),
                ("RECEIVER_1", one.0),
                ("RECEIVER_2", two.0),
                ("RECEIVER_1_INTERNAL", one.1),
                ("RECEIVER_2_INTERNAL", two.1),
            ],
        )
        .await;
        balancer.sees(["UP", "UP"]).await;
        balancer
    }

    /// In front of two servers of Postgres.
    pub async fn of_postgres(servers: [u16; 2]) -> Self {
        let [one, two] = servers;
        Self::start(
            "postgres.cfg",
            &[("POSTGRES_BIND", free_port()), ("POSTGRES_1", one), ("POSTGRES_2", two)],
        )
        .await
    }

    /// It listens on the first of the ports.
    async fn start(configuration: &str, ports: &[(&str, u16)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // What the tests look at, besides.
        let more = folder.path().join("more.cfg");
        let socket = folder.path().join("socket");
        std::fs::write(&more, format!("global\n  stats socket {}\n", socket.display())).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/haproxy").join(configuration);
        let mut haproxy = Command::new(server_program("haproxy"));
        haproxy.arg("-db").arg("-f").arg(shipped).arg("-f").arg(more);
        haproxy.envs(ports.iter().map(|(name, port)| (*name, format!("127.0.0.1:{port}"))));
        Self(Program::start(haproxy, folder, ports[0].1).await)
    }

    pub fn port(&self) -> u16 {
        self.0.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    pub fn log_text(&self) -> String {
        self.0.log_text()
    }

    /// Waits until it thinks so of both servers that it checks.
    pub async fn sees(&self, states: [&str; 2]) {
        let end = Instant::now() + DEADLINE;
        loop {
            let seen = self.states().await;
            if seen.len() == 2 && seen.iter().zip(states).all(|(seen, state)| seen.starts_with(state)) {
                return;
            }
            assert!(Instant::now() < end, "haproxy sees {seen:?}: {}", self.log_text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How the servers are that it checks, and by which check it knows.
    async fn states(&self) -> Vec<String> {
        // It listens there a moment later than for callbacks.
        let socket = UnixStream::connect(self.0.folder().join("socket")).await;
        let Ok(mut socket) = socket else { return Vec::new() };
        socket.write_all(b"show stat\n").await.unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).await.unwrap();
        let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let at = |name: &str| names.iter().position(|known| known.trim_start_matches("# ") == name).unwrap();
        let (server, status, check) = (at("svname"), at("status"), at("check_status"));
        let servers = lines.filter(|line| line.get(server).is_some_and(|name| name.contains('-')));
        // Before the first check it takes every server for well.
        let checked = servers.filter(|line| !["", "INI"].contains(&line[check]));
        checked.map(|line| line[status].to_owned()).collect()
    }
}
