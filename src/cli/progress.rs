//! The progress of a long command: a bar on a terminal, plain lines otherwise. Written to standard error, so that
//! standard output holds the result only.

use std::io::{IsTerminal, Write, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// What is shown.
pub(super) struct ProgressDisplay {
    bar: Option<ProgressBar>,
    /// The last line that was printed: the step, and how many tenths of it.
    line: (&'static str, usize),
}

impl ProgressDisplay {
    pub fn new() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len} {elapsed}");
            ProgressBar::no_length().with_style(style.expect("the template is well-formed"))
        });
        Self { bar, line: ("", 0) }
    }

    /// So many of so many are `done`.
    pub fn show(&mut self, doing: &'static str, done: usize, of: usize) {
        let new = doing != self.line.0;
        if let Some(bar) = &self.bar {
            if new {
                bar.reset();
                bar.set_message(doing);
            }
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        }
        let tenths = done * 10 / of.max(1);
        if self.bar.is_none() && (new || tenths > self.line.1) {
            // A closed standard error must not end the command.
            let _ = writeln!(stderr(), "{doing}: {done} of {of}");
        }
        self.line = (doing, tenths);
    }

    /// Removes the bar before the result is printed.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
