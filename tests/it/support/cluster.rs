//! A Postgres of one test's own, which it may stop, freeze and start again. Its data is synced to disk
//! as in production.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::{DEADLINE, Database, send_signal};

/// A server with its data, both gone with the test.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    server: Child,
    /// The processes that are frozen.
    frozen: Vec<u32>,
}

impl Cluster {
    /// Makes one, and waits until it answers.
    pub async fn start_new() -> Self {
        let (folder, programs) = (tempfile::tempdir().unwrap(), programs());
        lend(folder.path());
        let made = as_owner(folder.path(), &programs.join("initdb"))
            .args(["--pgdata", "data", "--username", "dlr", "--auth", "trust", "--encoding", "UTF8"])
            .args(["--locale", "C.UTF-8", "--no-sync"])
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let server = spawn(folder.path(), &programs, port);
        let mut cluster = Self { folder, programs, port, server, frozen: Vec::new() };
        cluster.answers().await;
        cluster
    }

    /// An empty database of it.
    pub async fn database(&self) -> Database {
        Database::on(&self.url()).await
    }

    fn url(&self) -> String {
        format!("postgres://dlr@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it at once, as a crash does: sessions are cut, and nothing is written any more.
    pub fn stop_immediate(&mut self) {
        self.thaw();
        send_signal("QUIT", &[self.server.id()]);
        let end = Instant::now() + DEADLINE;
        while self.server.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "Postgres does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again after a stop, and waits until it answers.
    pub async fn start(&mut self) {
        self.server = spawn(self.folder.path(), &self.programs, self.port);
        self.answers().await;
    }

    /// Freezes the server with all its processes: connections stay open, and nobody answers.
    pub fn freeze(&mut self) {
        let server = self.server.id();
        send_signal("STOP", &[server]);
        self.frozen = vec![server];
        // Once it stands still it begins no more processes.
        let end = Instant::now() + DEADLINE;
        while process(server).is_none_or(|(state, _)| state != "T") {
            assert!(Instant::now() < end, "Postgres does not freeze");
            std::thread::yield_now();
        }
        let children = children_of(server);
        send_signal("STOP", &children);
        self.frozen.extend(children);
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        send_signal("CONT", &std::mem::take(&mut self.frozen));
    }

    async fn answers(&mut self) {
        let end = Instant::now() + DEADLINE;
        while let Err(error) = PgConnection::connect(&self.url()).await {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.server.try_wait().unwrap().is_none(), "Postgres ended: {}", log());
            assert!(Instant::now() < end, "Postgres does not answer: {error}: {}", log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop_immediate();
        }
    }
}

/// Where the server's programs are: where `tests/run` has found them, or where they usually are.
fn programs() -> PathBuf {
    let told = std::env::var_os("DLR_TEST_POSTGRES_BINDIR").map(PathBuf::from);
    let asked = Command::new("pg_config").arg("--bindir").output().ok();
    let asked = asked.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    told.into_iter()
        .chain(asked)
        .chain(installed)
        .chain(on_path)
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("no Postgres server here: name its folder of programs in DLR_TEST_POSTGRES_BINDIR")
}

/// A port that nobody has. Below those that connections are given: one of them could take it while the
/// server is stopped.
fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| rand::random_range(20_000..32_000));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn spawn(folder: &Path, programs: &Path, port: u16) -> Child {
    let log = fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
    let (port, sockets) = (format!("port={port}"), format!("unix_socket_directories={}", folder.display()));
    let mut command = as_owner(folder, &programs.join("postgres"));
    command.args(["-D", "data", "-c", "listen_addresses=127.0.0.1", "-c", &port, "-c", &sockets]);
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Postgres refuses to run as root, so root lends it another user.
fn borrowed_owner() -> Option<&'static str> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let known = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
    is_root.then(|| ["postgres", "nobody"].into_iter().find(known).unwrap())
}

fn lend(folder: &Path) {
    if let Some(owner) = borrowed_owner() {
        assert!(Command::new("chown").arg(owner).arg(folder).status().unwrap().success());
    }
}

/// A program that runs in `folder`, as the one whom it belongs to.
fn as_owner(folder: &Path, program: &Path) -> Command {
    let mut command = match borrowed_owner() {
        None => Command::new(program),
        Some(owner) => {
            let group = Command::new("id").args(["-gn", owner]).output().unwrap().stdout;
            let group = String::from_utf8(group).unwrap();
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={owner}"), format!("--regid={}", group.trim())]);
            command.arg("--clear-groups").arg(program);
            command
        }
    };
    command.current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    command
}

/// The state of a process, as one letter, and its parent.
fn process(id: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in brackets, and may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| process(*id).is_some_and(|(_, of)| of == parent)).collect()
}
