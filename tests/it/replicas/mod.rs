//! Receivers as they are run: more than one, behind the load balancer's configuration that we ship, on a
//! Postgres that is restarted, pooled, and replaced by its standby. Real programs throughout.

mod balancer;
mod failover;
mod pooler;
mod resent;
mod restarts;

use crate::{
    crash::Spool,
    support::{Database, Service, Settings, program::free_port},
};

/// A receiver with two listeners that stay where they are when it is started again, and a spool that stays, too.
struct Receiver {
    spool: Spool,
    callbacks: u16,
    questions: u16,
    service: Service,
}

impl Receiver {
    async fn start(database: &Database) -> Self {
        let (spool, callbacks, questions) = (Spool::new(), free_port(), free_port());
        let service = serve(database, &spool, (callbacks, questions)).await;
        Self { spool, callbacks, questions, service }
    }

    /// Starts it again once it has ended.
    async fn start_again(&mut self, database: &Database) {
        self.service.ended().await;
        self.service = serve(database, &self.spool, (self.callbacks, self.questions)).await;
    }

    /// Where it answers questions.
    fn questions(&self) -> String {
        format!("http://127.0.0.1:{}", self.questions)
    }
}

async fn serve(database: &Database, spool: &Spool, (callbacks, questions): (u16, u16)) -> Service {
    let [callbacks, questions] = [callbacks, questions].map(|port| format!("127.0.0.1:{port}"));
    let settings: Settings<'_> = &[("HTTP__BIND", &callbacks), ("HTTP__INTERNAL_BIND", &questions)];
    spool.serve(database, settings).await
}
