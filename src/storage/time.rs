//! Instants as each backend keeps them.

use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type, encode::IsNull, error::BoxDynError};

use crate::domain::Time;

/// An instant: `timestamptz` in Postgres, microseconds since the Unix epoch in SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredTime(pub Time);

impl From<StoredTime> for Time {
    fn from(stored: StoredTime) -> Self {
        stored.0
    }
}

impl Type<Postgres> for StoredTime {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <Time as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for StoredTime {
    fn encode_by_ref(&self, buf: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Time as Encode<'q, Postgres>>::encode_by_ref(&self.0, buf)
    }
}

impl<'r> Decode<'r, Postgres> for StoredTime {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<Time as Decode<'r, Postgres>>::decode(value)?))
    }
}

impl Type<Sqlite> for StoredTime {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for StoredTime {
    fn encode_by_ref(&self, buf: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, Sqlite>>::encode_by_ref(&self.0.timestamp_micros(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for StoredTime {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Sqlite>>::decode(value)?;
        Time::from_timestamp_micros(micros).map(Self).ok_or_else(|| "a time beyond all years".into())
    }
}
