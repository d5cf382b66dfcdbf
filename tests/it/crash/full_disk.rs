//! A disk that is full: one of six megabytes, of which the service sees no more.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use super::{Spool, hold::Hold, rows, tell};
use crate::support::{Backend, DEADLINE, Database, Load, Pace, Service, needs::not_tested};

/// A folder on which a service finds a small disk of its own, with a megabyte left, or nothing.
struct SmallDisk {
    folder: TempDir,
    /// What gives a process mounts of its own.
    unshare: &'static [&'static str],
}

const MOUNT_FULL: &str = "mount -t tmpfs -o size=6m tmpfs $0 && { head -c 7000000 /dev/zero >$0/others 2>/dev/null || true; } && exec \"$@\"";

const MOUNT: &str =
    "mount -t tmpfs -o size=6m tmpfs $0 && head -c 5190000 /dev/zero >$0/others && exec \"$@\"";

/// As anybody where the system lets them; else as root.
const UNSHARE: [&[&str]; 2] = [&["unshare", "--user", "--map-root-user", "--mount"], &["unshare", "--mount"]];

impl SmallDisk {
    /// None where the system does not let us have one, as in some containers.
    fn new() -> Option<Self> {
        for unshare in UNSHARE {
            let disk = Self { folder: tempfile::tempdir().unwrap(), unshare };
            let words = [&disk.starter()[..], &["true"]].concat();
            if Command::new(words[0]).args(&words[1..]).output().is_ok_and(|run| run.status.success()) {
                return Some(disk);
            }
        }
        not_tested("DLR_TEST_MOUNTS", "a small disk needs a mount of its own, by unshare and mount");
        None
    }

    /// What starts a service that has it.
    fn starter(&self) -> Vec<&str> {
        self.starter_with(MOUNT)
    }

    /// What starts a service that has one on which nothing is left.
    fn full_starter(&self) -> Vec<&str> {
        self.starter_with(MOUNT_FULL)
    }

    fn starter_with<'s>(&'s self, mount: &'s str) -> Vec<&'s str> {
        [self.unshare, &["sh", "-c", mount, self.folder.path().to_str().unwrap()]].concat()
    }

    /// The path of a file as the service sees it.
    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    /// The path of a file as everybody else sees it.
    fn path_from_outside(&self, service: &Service, file: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", service.id())).join(self.path(file).trim_start_matches('/'))
    }

    /// Waits until so many callbacks are in the spool's file, as one would find it after a crash.
    async fn has_spooled(&self, service: &Service, callbacks: usize) {
        let end = Instant::now() + DEADLINE;
        loop {
            let crashed = tempfile::tempdir().unwrap();
            for file in ["spool.db", "spool.db-wal"] {
                // There is no log where nothing has happened since it was last emptied.
                let _ = std::fs::copy(self.path_from_outside(service, file), crashed.path().join(file));
            }
            let found = rows(&crashed.path().join("spool.db"), "spooled").await;
            if found.as_ref().is_ok_and(|found| usize::try_from(*found) == Ok(callbacks)) {
                return;
            }
            assert!(Instant::now() < end, "{found:?} callbacks are on disk, not {callbacks}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Somebody else makes room.
    fn frees_up(&self, service: &Service) {
        std::fs::remove_file(self.path_from_outside(service, "others")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_the_spool_is_told_and_everything_acknowledged_is_on_it() {
    let Some(disk) = SmallDisk::new() else { return };
    let database = Database::create(Backend::Postgres).await;
    let path = disk.path("spool.db");
    let settings = [("DLR__SPOOL__PATH", path.as_str()), ("DLR__INGEST__COMMIT_TIMEOUT_MS", "500")];
    let service = Service::start_by(&disk.starter(), &database, &settings).await;
    let hold = Hold::on(&database.url).await;
    let load = Load::start(&service.url, Pace::FULL);
    load.is_refused(100).await;
    let traffic = load.stop().await;
    let answers = traffic.answers();
    tell(&format!("a full disk under the spool: {answers:?}"));
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["200 spooled", "503"]);
    disk.has_spooled(&service, traffic.acknowledged()).await;

    // The store takes them, and new ones too, while the spool cannot be emptied.
    hold.release().await;
    traffic.is_stored(&service.url).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    load.stop().await.is_stored(&service.url).await;
    disk.frees_up(&service);
    disk.has_spooled(&service, 0).await;

    let hold = Hold::on(&database.url).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    disk.has_spooled(&service, traffic.acknowledged()).await;
    hold.release().await;
    traffic.is_stored(&service.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_the_database_sends_callbacks_to_the_spool_until_there_is_room() {
    let Some(disk) = SmallDisk::new() else { return };
    let (database, spool) = (Database::at(&format!("sqlite://{}", disk.path("dlr.db"))), Spool::new());
    let path = spool.path();
    let settings = [("DLR__SPOOL__PATH", path.as_str())];
    let service = Service::start_by(&disk.starter(), &database, &settings).await;
    let load = Load::start(&service.url, Pace::FULL);
    service.has_logged("database or disk is full").await;
    load.acknowledges(50).await;
    let traffic = load.stop().await;
    tell(&format!("a full disk under the database: {:?}", traffic.answers()));
    traffic.was_all_acknowledged();
    assert!(traffic.spooled() > 0);
    disk.frees_up(&service);
    traffic.is_stored(&service.url).await;
    spool.is_drained().await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    let after = load.stop().await;
    assert_eq!(after.spooled(), 0, "{:?}", after.answers());
    after.is_stored(&service.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_full_disk_under_the_database_spools_until_there_is_room() {
    let Some(disk) = SmallDisk::new() else { return };
    let (database, spool) = (Database::at(&format!("sqlite://{}", disk.path("dlr.db"))), Spool::new());
    let path = spool.path();
    let settings = [("DLR__SPOOL__PATH", path.as_str())];
    let service = Service::start_by(&disk.full_starter(), &database, &settings).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    assert_eq!(traffic.answers().keys().collect::<Vec<_>>(), ["200 spooled"]);
    let ready = reqwest::get(format!("{}/readyz", service.url)).await.unwrap().text().await.unwrap();
    assert!(ready.contains("spooling") && ready.contains("has no room left on its disk"), "{ready}");
    disk.frees_up(&service);
    traffic.is_stored(&service.url).await;
    spool.is_drained().await;
}
