//! Connections are open files, and so are the database's: the former must not use up the latter.

use super::ConnectionLimits;

/// What a listener is left with however few files may be open.
const FEWEST: u32 = 16;

impl ConnectionLimits {
    /// These limits, with no more connections than fit into `listeners` beside `reserved` other files. The
    /// process's own limit is raised for it as far as the system lets it.
    #[must_use]
    pub fn within_open_files(self, listeners: u32, reserved: u32) -> Self {
        let wanted = u64::from(self.max_connections) * u64::from(listeners) + u64::from(reserved);
        let Ok(allowed) = rlimit::increase_nofile_limit(wanted) else { return self };
        let fitting = fitting(allowed, listeners, reserved);
        if fitting >= self.max_connections {
            return self;
        }
        tracing::warn!(
            configured = self.max_connections,
            connections = fitting,
            open_files = allowed,
            "fewer connections than http.max_connections fit into the limit of open files; raise `ulimit -n`"
        );
        Self { max_connections: fitting, ..self }
    }
}

fn fitting(allowed: u64, listeners: u32, reserved: u32) -> u32 {
    let left = allowed.saturating_sub(reserved.into()) / u64::from(listeners.max(1));
    u32::try_from(left).unwrap_or(u32::MAX).max(FEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(fitting(1024, 1, 100), 924);
        assert_eq!(fitting(1024, 2, 100), 462);
        assert_eq!(fitting(40, 2, 100), FEWEST);
        assert_eq!(fitting(u64::MAX, 1, 100), u32::MAX);
    }
}
