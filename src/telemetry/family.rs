//! What metrics of one name have in common.

/// A family of metrics: a name, and what it says. Names have base units, and counters end in `_total`.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it says, in one line.
    pub help: &'static str,
}
