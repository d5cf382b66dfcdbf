//! The end: a signal, then a deadline.

use std::{future::Future, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Tells every part that the end has come. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Begins the end.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// A trigger, and what it triggers.
    #[must_use]
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Shutdown(receiver))
    }

    /// Begins the end. Dropping the trigger does so too.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Begins it at SIGTERM or SIGINT.
    ///
    /// # Errors
    /// Where the system does not let us listen to signals.
    pub fn on_signals(self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "stopping: finishing what was accepted");
            self.begin();
        });
        Ok(())
    }
}

impl Shutdown {
    /// Waits until the end has begun.
    pub async fn begun(mut self) {
        // An error means that the trigger is gone, which is the end as well.
        let _ = self.0.wait_for(|begun| *begun).await;
    }

    /// Runs `work` to its end, but no longer than `deadline` after the end has begun.
    /// Returns whether it ended by itself.
    pub async fn within(self, deadline: Duration, work: impl Future<Output = ()>) -> bool {
        let cut_off = async {
            self.begun().await;
            tokio::time::sleep(deadline).await;
        };
        tokio::select! {
            () = work => true,
            () = cut_off => false,
        }
    }
}
