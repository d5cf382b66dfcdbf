//! Fits the number of connections into the limit of open files, so that they leave enough for the database.

use super::ConnectionLimits;

/// The fewest connections of a listener, however low the limit of open files is.
const FEWEST: u32 = 16;

impl ConnectionLimits {
    /// Lowers `max_connections` until that many for each of `listeners`, and `reserved` other files, fit into the
    /// process's limit of open files. The soft limit is raised first, up to the hard limit.
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
