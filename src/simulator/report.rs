//! The report of a run.
//!
//! May import nothing else of this crate.

use std::fmt;

use super::{
    ledger::Ledger,
    verify::{Finding, VerifiedMessage},
};

/// The most missing and wrong messages that are listed one by one.
const TOLD: usize = 10;

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    ledger: Ledger,
    acknowledged: usize,
    missing: Vec<VerifiedMessage>,
    wrong: Vec<VerifiedMessage>,
}

impl Report {
    pub(super) fn new(ledger: Ledger, found: Vec<VerifiedMessage>) -> Self {
        let acknowledged = found.iter().filter(|found| found.acknowledged).count();
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        for found in found {
            match found.finding {
                Finding::Right => {}
                Finding::Missing(_) => missing.push(found),
                Finding::Wrong(_) => wrong.push(found),
            }
        }
        Self { ledger, acknowledged, missing, wrong }
    }

    /// Why the run failed; none when it passed.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let (missing, wrong) = (self.missing.len(), self.wrong());
        if missing + wrong > 0 {
            return Some(format!("the receiver failed: {missing} missing, {wrong} wrong"));
        }
        let last = self.ledger.last_failure.as_deref().unwrap_or("nothing was sent");
        (self.acknowledged == 0).then(|| format!("nothing was acknowledged: {last}"))
    }

    /// Messages, and garbage that broke the receiver.
    fn wrong(&self) -> usize {
        self.wrong.len() + self.ledger.garbage_broke
    }

    fn write_answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ledger { sent, garbage, recorded, spooled, refused, retried, given_up, .. } = &self.ledger;
        let messages = self.ledger.messages.len();
        writeln!(f, "sent          {sent} callbacks of {messages} messages, {garbage} of them garbage")?;
        writeln!(
            f,
            "answered      recorded {recorded}, spooled {spooled}, refused {refused}, retried {retried}, \
             given up {given_up}"
        )?;
        for (reason, times) in &self.ledger.failures {
            writeln!(f, "failed        {times} × {reason}")?;
        }
        match self.ledger.garbage_taken {
            0 => Ok(()),
            taken => writeln!(f, "garbage       {taken} × answered 200 OK, which is for callbacks only"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_answers(f)?;
        writeln!(f, "acknowledged  {}", self.acknowledged)?;
        writeln!(f, "stored        {}", self.acknowledged - self.missing.len())?;
        writeln!(f, "missing       {}", self.missing.len())?;
        write!(f, "wrong         {}", self.wrong())?;
        let told = self.missing.iter().take(TOLD).chain(self.wrong.iter().take(TOLD));
        for VerifiedMessage { sid, finding, .. } in told {
            match finding {
                Finding::Right => {}
                Finding::Missing(how) => write!(f, "\n  missing {sid}: {how}")?,
                Finding::Wrong(differences) => {
                    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
                    write!(f, "\n  wrong {sid}: {}", told.join("; "))?;
                }
            }
        }
        Ok(())
    }
}
