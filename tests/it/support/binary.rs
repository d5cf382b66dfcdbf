//! The real binary, as an operator runs it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::{DEADLINE, Database, Settings, send_signal};

/// The binary with nothing of this process's environment that it would read.
pub fn binary(folder: &Path) -> Command {
    run_by(&[], folder)
}

/// The same, started by a program and its arguments.
fn run_by(starter: &[&str], folder: &Path) -> Command {
    let words = [starter, &[env!("CARGO_BIN_EXE_dlr-receiver")]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command.current_dir(folder).stdin(Stdio::null());
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy().into_owned();
        if name.starts_with("DLR_") || name.starts_with("DATABASE_URL") {
            command.env_remove(variable);
        }
    }
    command
}

/// The service as a process of its own; killed if it outlives the test.
pub struct Service {
    pub url: String,
    pub log: PathBuf,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts it on any free port and waits until it listens.
    pub async fn start(database: &Database, settings: Settings<'_>) -> Self {
        let variables: Vec<_> = settings.iter().map(|(key, value)| (format!("DLR__{key}"), *value)).collect();
        let variables: Vec<_> = variables.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        Self::start_with(database, &variables).await
    }

    /// The same with whole environment variables.
    pub async fn start_with(database: &Database, variables: &[(&str, &str)]) -> Self {
        Self::start_by(&[], database, variables).await
    }

    /// The same, started by a program and its arguments, which it replaces.
    pub async fn start_by(starter: &[&str], database: &Database, variables: &[(&str, &str)]) -> Self {
        let mut service = Self::spawn_by(starter, database, variables);
        service.url = service.wait_for_url().await;
        service
    }

    /// Starts it without waiting.
    pub fn spawn(database: &Database, variables: &[(&str, &str)]) -> Self {
        Self::spawn_by(&[], database, variables)
    }

    /// The same, started by a program and its arguments.
    pub fn spawn_by(starter: &[&str], database: &Database, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, out) = (folder.path().join("log"), folder.path().join("out"));
        let mut command = run_by(starter, folder.path());
        command.env("DLR__HTTP__BIND", "127.0.0.1:0").env("DATABASE_URL", &database.url);
        command.env("DLR__DATABASE__TIMEOUT_MS", "20000").env("DLR__INGEST__COMMIT_TIMEOUT_MS", "20000");
        command.envs(variables.iter().copied());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
        Self { url: String::new(), log, child: command.spawn().unwrap(), _folder: folder }
    }

    /// The address stands in the first lines of the log.
    async fn wait_for_url(&mut self) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let log = self.log_text();
            let after = |mark: &str| log.split_once(mark).map(|(_, rest)| rest.to_owned());
            let address = after("listening callbacks=").or_else(|| after("\"callbacks\":\""));
            if let Some((address, _)) = address.as_deref().and_then(|text| text.split_once([' ', '"'])) {
                return format!("http://{address}");
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself: {log}");
            assert!(Instant::now() < end, "it does not listen: {log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it printed, beside the log.
    pub fn out_text(&self) -> String {
        std::fs::read_to_string(self.log.with_file_name("out")).unwrap_or_default()
    }

    /// Waits until the log holds `text`.
    pub async fn has_logged(&self, text: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.log_text().contains(text) {
            assert!(Instant::now() < end, "{text:?} is not in the log: {}", self.log_text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        send_signal(name, &[self.child.id()]);
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end: {}", self.log_text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
