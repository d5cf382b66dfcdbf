//! Periodic tasks, which end with the service. A leaf: it imports nothing of this crate.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle, time::sleep};

/// A job that is done again and again.
pub trait PeriodicJob: Send + 'static {
    /// Does it once. Returns how long to rest before the next time. May be dropped halfway, at the end of the service.
    fn run(&mut self) -> impl Future<Output = Duration> + Send;

    /// Called once at the end. Others may go on where this one was.
    fn give_up(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A job that runs in the background.
#[derive(Debug)]
pub struct BackgroundTask {
    task: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl BackgroundTask {
    /// Starts a job, at once.
    #[must_use]
    pub fn start(job: impl PeriodicJob) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { task: tokio::spawn(repeat(job, stopped)), stop }
    }

    /// Ends it: what is under way is dropped, and the job gives up.
    pub async fn finish(self) {
        drop(self.stop);
        // A panic of the task was logged by the panic hook.
        let _ = self.task.await;
    }
}

async fn repeat(mut job: impl PeriodicJob, mut stop: watch::Receiver<()>) {
    while stop.has_changed().is_ok() {
        let turn = async {
            let rest = job.run().await;
            sleep(rest).await;
        };
        tokio::select! {
            () = turn => {}
            _ = stop.changed() => break,
        }
    }
    job.give_up().await;
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Counting {
        begun: Arc<AtomicU32>,
        ended: Arc<AtomicU32>,
        given_up: Arc<AtomicU32>,
        takes: Duration,
    }

    impl PeriodicJob for Counting {
        async fn run(&mut self) -> Duration {
            self.begun.fetch_add(1, Relaxed);
            sleep(self.takes).await;
            self.ended.fetch_add(1, Relaxed);
            Duration::from_mins(1)
        }

        async fn give_up(&mut self) {
            self.given_up.fetch_add(1, Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_begins_at_once_and_again_after_each_rest_until_the_end() {
        let job = Counting::default();
        let task = BackgroundTask::start(job.clone());
        sleep(Duration::from_secs(150)).await;
        assert_eq!(job.ended.load(Relaxed), 3);
        assert_eq!(job.given_up.load(Relaxed), 0);
        task.finish().await;
        assert_eq!((job.ended.load(Relaxed), job.given_up.load(Relaxed)), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_what_is_under_way() {
        let job = Counting { takes: Duration::from_hours(1), ..Counting::default() };
        let task = BackgroundTask::start(job.clone());
        sleep(Duration::from_secs(1)).await;
        task.finish().await;
        assert_eq!(job.begun.load(Relaxed), 1);
        assert_eq!((job.ended.load(Relaxed), job.given_up.load(Relaxed)), (0, 1));
    }
}
