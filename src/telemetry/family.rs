//! The name and the help text that metrics share.

/// A family of metrics. Names use base units, and those of counters end in `_total`.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its help text, in one line.
    pub help: &'static str,
}
