//! Why a database does not work, and what to do about it.

mod classify;

pub(super) use classify::trouble_of;

/// Why a database does not work. Its texts contain nothing of the configuration, so they may be shown to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub enum Trouble {
    /// No connection, or the host name cannot be resolved.
    Unreachable,
    /// No answer within the timeout.
    Silent,
    /// It is starting or stopping.
    Starting,
    /// It is read-only.
    ReadOnly,
    /// It has no connection left.
    Connections,
    /// It refuses this user or password.
    Refused,
    /// There is no database of this name.
    NoDatabase,
    /// The user lacks a right.
    Rights,
    /// It has no schema, or an older one.
    Schema,
    /// Another session holds a lock.
    Locked,
    /// Its disk is full.
    Full,
    /// It has no memory left.
    Memory,
    /// Its file or its folder cannot be opened.
    File,
    /// Its file is damaged.
    Damaged,
    /// The two sides do not agree on TLS.
    Tls,
    /// A migration fails.
    Migration,
    /// It is not what this version can work with, and waiting does not change that.
    Unfit,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether an operator has to act. Otherwise it passes by itself.
    #[must_use]
    pub fn needs_mending(self) -> bool {
        !matches!(
            self,
            Self::Unreachable
                | Self::Silent
                | Self::Starting
                | Self::ReadOnly
                | Self::Connections
                | Self::Locked
                | Self::Memory
        )
    }

    /// What is wrong, as a sentence whose subject is "the database".
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot be reached",
            Self::Silent => "does not answer in time",
            Self::Starting => "is starting or stopping",
            Self::ReadOnly => "is read-only now, as a standby is",
            Self::Connections => "has no free connection",
            Self::Refused => "refuses the user name or the password",
            Self::NoDatabase => "does not exist under the configured name",
            Self::Rights => "denies the user a right that is needed",
            Self::Schema => "lacks tables or columns of this version",
            Self::Locked => "is locked by another session",
            Self::Full => "has no room left on its disk",
            Self::Memory => "has no memory left",
            Self::File => "cannot be opened: its file or its folder",
            Self::Damaged => "has a damaged file",
            Self::Tls => "and this service do not agree on TLS",
            Self::Migration => "cannot be migrated",
            Self::Unfit => "cannot be used by this version",
            Self::Other => "does not do its work",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "see whether it runs, and whether host and port in database.url are right",
            Self::Silent => "see whether it runs, and what keeps it busy",
            Self::Starting => "nothing, unless it lasts",
            Self::ReadOnly => {
                "Postgres: promote the standby, name the primary in database.url, or set \
                 default_transaction_read_only = off; SQLite: make the file and its folder writable"
            }
            Self::Connections => {
                "raise the server's max_connections or the role's CONNECTION LIMIT, or lower \
                 database.max_connections"
            }
            Self::Refused => {
                "set the user name and the password in database.url (DATABASE_URL) and restart, or mend \
                 the role or pg_hba.conf"
            }
            Self::NoDatabase => "create the database, or mend its name in database.url (DATABASE_URL)",
            Self::Rights => {
                "grant the user SELECT, INSERT, UPDATE and DELETE on all tables, or let the owner run \
                 `dlr-receiver migrate` first"
            }
            Self::Schema => "run `dlr-receiver migrate`, or set database.migrate = true",
            Self::Locked => "see which session holds the lock, and end it unless it is a migration",
            Self::Full => "make room on the database's disk",
            Self::Memory => "see what takes the server's memory",
            Self::File => "make the folder and the file of database.url, and their owner, right",
            Self::Damaged => "restore the file from a backup",
            Self::Tls => "look at sslmode in database.url, and at the server's certificate",
            Self::Migration => "read the error; `dlr-receiver migrate` tries it again",
            Self::Unfit => "read the error",
            Self::Other => "read the error, and the database's own log",
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn each_has_words_of_its_own() {
        let mut texts: Vec<_> = Trouble::VARIANTS.iter().map(|trouble| trouble.text()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Trouble::VARIANTS.len());
    }
}
