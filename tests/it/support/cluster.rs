//! A Postgres of one test's own, which it may stop, freeze, kill and start again, and which may have a
//! standby. Its data is synced to disk as in production.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::{
    DEADLINE, Database,
    needs::set_by_run,
    program::{as_owner, free_port, lend},
    send_signal,
};

/// A server with its data, both gone with the test.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    pub port: u16,
    settings: Vec<String>,
    server: Child,
    /// The processes that are frozen.
    frozen: Vec<u32>,
}

impl Cluster {
    /// Makes one, and waits until it answers.
    pub async fn start_new() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with settings, as `name=value`.
    pub async fn start_with(settings: &[&str]) -> Self {
        let (folder, programs) = (tempfile::tempdir().unwrap(), programs());
        lend(folder.path());
        let made = as_owner(folder.path(), &programs.join("initdb"))
            .args(["--pgdata", "data", "--username", "dlr", "--auth", "trust", "--encoding", "UTF8"])
            .args(["--locale", "C.UTF-8", "--no-sync"])
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        Self::run((folder, programs), settings).await
    }

    /// A copy of this one that follows it under a name, until it is promoted.
    pub async fn standby(&self, name: &str) -> Self {
        let (folder, programs) = (tempfile::tempdir().unwrap(), self.programs.clone());
        lend(folder.path());
        let from = format!("host=127.0.0.1 port={} user=dlr application_name={name}", self.port);
        let copied = as_owner(folder.path(), &programs.join("pg_basebackup"))
            .args(["--pgdata", "data", "--checkpoint", "fast", "--write-recovery-conf", "--no-sync"])
            .args(["--dbname", &from])
            .output()
            .unwrap();
        assert!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        Self::run((folder, programs), &[]).await
    }

    async fn run((folder, programs): (TempDir, PathBuf), settings: &[&str]) -> Self {
        let port = free_port();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let server = spawn(folder.path(), &programs, (port, &settings));
        let mut cluster = Self { folder, programs, port, settings, server, frozen: Vec::new() };
        cluster.answers().await;
        cluster
    }

    /// Changes who may connect and how, as `pg_hba.conf` has it. New sessions go by it soon.
    pub fn admits(&self, lines: &str) {
        fs::write(self.folder.path().join("data/pg_hba.conf"), format!("{lines}\n")).unwrap();
        send_signal("HUP", &[self.server.id()]);
    }

    /// Makes it a standby of nobody, once it is stopped and started again.
    pub fn demote(&self) {
        fs::write(self.folder.path().join("data/standby.signal"), "").unwrap();
    }

    /// Makes a standby a primary.
    pub fn promote(&self) {
        let promoted = as_owner(self.folder.path(), &self.programs.join("pg_ctl"))
            .args(["promote", "--pgdata", "data", "--wait", "--silent"])
            .output()
            .unwrap();
        assert!(promoted.status.success(), "pg_ctl: {}", String::from_utf8_lossy(&promoted.stderr));
    }

    /// Kills it with all its processes: nobody says goodbye.
    pub fn kill(&mut self) {
        self.freeze();
        send_signal("KILL", &std::mem::take(&mut self.frozen));
        self.ended();
    }

    /// An empty database of it.
    pub async fn database(&self) -> Database {
        Database::on(&self.url()).await
    }

    /// Its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://dlr@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it at once, as a crash does: sessions are cut, and nothing is written any more.
    pub fn stop_immediate(&mut self) {
        self.thaw();
        send_signal("QUIT", &[self.server.id()]);
        self.ended();
    }

    fn ended(&mut self) {
        let end = Instant::now() + DEADLINE;
        while self.server.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "Postgres does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again after a stop, and waits until it answers.
    pub async fn start(&mut self) {
        self.server = spawn(self.folder.path(), &self.programs, (self.port, &self.settings));
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

/// Where `tests/run` has found the server's programs.
fn programs() -> PathBuf {
    set_by_run("DLR_TEST_POSTGRES_BINDIR", "the programs of a Postgres server").into()
}

fn spawn(folder: &Path, programs: &Path, (port, settings): (u16, &[String])) -> Child {
    let log = fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
    let (port, sockets) = (format!("port={port}"), format!("unix_socket_directories={}", folder.display()));
    let mut command = as_owner(folder, &programs.join("postgres"));
    command.args(["-D", "data", "-c", "listen_addresses=127.0.0.1", "-c", &port, "-c", &sockets]);
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
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
