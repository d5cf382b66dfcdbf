//! Programs of others, as the tests run them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{DEADLINE, send_signal};

/// One that listens on a port, in a folder of its own; killed with the test.
pub struct Program {
    pub port: u16,
    folder: TempDir,
    process: Child,
}

impl Program {
    /// Starts it, and waits until it listens on `port`.
    pub async fn start(mut command: Command, folder: TempDir, port: u16) -> Self {
        let log = File::options().append(true).create(true).open(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut program = Self { port, folder, process };
        let end = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(program.process.try_wait().unwrap().is_none(), "it ended: {}", program.log_text());
            assert!(Instant::now() < end, "it does not listen: {}", program.log_text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        program
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn log_text(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it by a signal, and gives its folder back.
    pub fn end(mut self, signal: &str) -> TempDir {
        send_signal(signal, &[self.process.id()]);
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody has, and no other test is given. Below those that connections are given: one of them
/// could take it while the server is stopped.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut ports = std::iter::repeat_with(|| rand::random_range(20_000..32_000));
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(|port| is_free(port) && GIVEN.lock().unwrap().insert(*port)).unwrap()
}

/// A program that stands where only root looks for it.
pub fn server_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.find_map(|folder: PathBuf| Some(folder.join(name)).filter(|file| file.exists()));
    found.unwrap_or_else(|| panic!("no {name} here: sudo apt-get install {name}"))
}

/// Postgres and pgbouncer refuse to run as root, so root lends them another user.
fn borrowed_owner() -> Option<&'static str> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let known = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
    is_root.then(|| ["postgres", "nobody"].into_iter().find(known).unwrap())
}

/// Gives them a folder.
pub fn lend(folder: &Path) {
    if let Some(owner) = borrowed_owner() {
        assert!(Command::new("chown").arg(owner).arg(folder).status().unwrap().success());
    }
}

/// A program that runs in `folder`, as the one whom it belongs to.
pub fn as_owner(folder: &Path, program: &Path) -> Command {
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
