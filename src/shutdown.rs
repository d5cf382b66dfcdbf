//! The shutdown: a signal begins it, a deadline ends it. A leaf: it imports nothing of this crate.

use std::{future::Future, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Tells each part of the service that the shutdown has begun. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Begins the shutdown.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// A trigger, and the shutdown that it begins.
    #[must_use]
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Shutdown(receiver))
    }

    /// Begins the shutdown. Dropping the trigger does so as well.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Begins the shutdown at SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
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
    /// Waits until the shutdown has begun.
    pub async fn begun(mut self) {
        // An error means that the trigger was dropped, which begins the shutdown as well.
        let _ = self.0.wait_for(|begun| *begun).await;
    }

    /// Runs `work` until it ends, or until `deadline` after the shutdown has begun. Returns whether it ended by itself.
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
