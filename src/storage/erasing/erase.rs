//! Erases a recipient from the store: number, custom field and fields of receipts are removed; the messages, their
//! outcomes and all counts stay.
//!
//! What is stored at the beginning is erased. [`Erasing`] notes where each table ends and walks up to there once, by keyset,
//! so callbacks that arrive meanwhile cannot keep it from ending. What they say is not erased, unless it is about a message
//! that the walk has not reached yet.

use std::time::{Duration, Instant};

use crate::domain::Forgotten;

use crate::storage::{
    Cursor, Erased, Erasure, Store, StoreError,
    dialect::Dialect,
    erasing::erase_batch::FoundMessage,
    erasing::erase_messages::ToErase,
    erasing::erase_sql::{FindSql, NEWEST_MESSAGE},
    on_readers, on_writer, sql,
    time::StoredTime,
};

/// After how long a step ends, once its transaction is done.
const STEP: Duration = Duration::from_secs(1);

/// An erasure under way.
pub struct Erasing {
    erasure: Erasure,
    /// The last message when it began. None once all messages were searched, or where there were none.
    end: Option<Cursor>,
    /// Searches for messages; the last one is under way.
    parts: Vec<Search>,
    /// The last recipient text without a number that was compared; none once all were.
    texts: Option<String>,
    wanted: ToErase,
    /// The last refused body that was compared, and the last one when it began; none once all were compared.
    rejected: Option<(i64, i64)>,
}

/// A search for messages that may name the recipient.
struct Search {
    find: &'static FindSql,
    /// The value that the statement searches for.
    wanted: String,
    place: Cursor,
}

impl Search {
    fn of(find: &'static FindSql, wanted: String) -> Self {
        Self { find, wanted, place: Cursor::START }
    }
}

/// How many characters of a recipient text are in the index `messages_recipient_raw` (migration 0007).
const BEGINNING: usize = 64;
/// A LIKE pattern that no number and no field matches.
const NO_PATTERN: &str = "!";

impl Store {
    /// Begins to erase what is stored of a recipient now.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer.
    pub async fn begin_erasing(&self, erasure: Erasure) -> Result<Erasing, StoreError> {
        let sql = &self.statements().erase;
        let newest: Option<(StoredTime, i64)> =
            on_readers!(self, pool => sqlx::query_as(NEWEST_MESSAGE).fetch_optional(pool))?;
        let last: i64 = on_readers!(self, pool => sqlx::query_scalar(sql::LAST_REJECTED).fetch_one(pool))?;
        let (parts, texts) = match &erasure.recipient {
            Forgotten::Number { e164, national } => {
                let several = Search::of(&sql.to_several, format!("%{national}%"));
                (vec![several, Search::of(&sql.to_number, e164.clone())], Some(String::new()))
            }
            Forgotten::Text(text) => {
                let several = Search::of(&sql.to_several, NO_PATTERN.to_owned());
                (vec![several, Search::of(&sql.to_text, self.beginning(text))], None)
            }
        };
        let end = newest.map(|(time, id)| Cursor::new(time.0, id));
        let rejected = Some((0, last));
        Ok(Erasing { erasure, end, parts, texts, wanted: ToErase::default(), rejected })
    }

    /// The value by which the index finds a recipient text: on Postgres its beginning.
    fn beginning(&self, text: &str) -> String {
        match self.dialect() {
            Dialect::Postgres => text.chars().take(BEGINNING).collect(),
            Dialect::Sqlite => text.to_owned(),
        }
    }
}

impl Erasing {
    /// Erases some of what is left, and counts it as soon as it is committed. Returns whether there may be more.
    /// May be dropped at any time.
    ///
    /// # Errors
    /// [`StoreError`]: what was counted is erased all the same.
    pub async fn step(&mut self, store: &Store, erased: &mut Erased) -> Result<bool, StoreError> {
        let began = Instant::now();
        while self.is_under_way() {
            if !self.wanted.messages.is_empty() {
                store.erase_first(&self.erasure, &mut self.wanted, erased).await?;
            } else if let Some(end) = self.end {
                self.find(store, end).await?;
            } else if let Some((after, last)) = self.rejected {
                self.rejected =
                    store.erase_rejected(&self.erasure, after, erased).await?.map(|next| (next, last));
                self.rejected = self.rejected.filter(|(next, last)| next < last);
            }
            if began.elapsed() > STEP {
                break;
            }
        }
        Ok(self.is_under_way())
    }

    /// Searches on for messages up to `end`, which is set to none once all searches are done.
    async fn find(&mut self, store: &Store, end: Cursor) -> Result<(), StoreError> {
        if let Some(part) = self.parts.last_mut() {
            let (found, is_last) = part.next(store, &self.erasure, end).await?;
            self.wanted.messages.extend(found);
            if is_last {
                self.parts.pop();
            }
        } else if let Some(after) = self.texts.take() {
            let texts: Vec<String> = on_readers!(store, pool => sqlx::query_scalar(store.statements().erase.texts)
                .bind(&after)
                .fetch_all(pool))?;
            self.texts = texts.last().cloned();
            let recipient = &self.erasure.recipient;
            let may_be = |text: &String| text.chars().nth(BEGINNING - 1).is_some() || recipient.may_be(text);
            let parts = texts.into_iter().filter(may_be);
            self.parts.extend(parts.map(|text| Search::of(&store.statements().erase.to_text, text)));
        } else {
            self.end = None;
        }
        Ok(())
    }

    fn is_under_way(&self) -> bool {
        !self.wanted.messages.is_empty() || self.end.is_some() || self.rejected.is_some()
    }
}

impl Search {
    /// The next page of messages, in the order of their keys, and whether it is the last.
    async fn next(
        &mut self,
        store: &Store,
        erasure: &Erasure,
        end: Cursor,
    ) -> Result<(Vec<FoundMessage>, bool), StoreError> {
        let found = on_readers!(store, pool => sqlx::query_as(self.find.page)
            .bind(&self.wanted)
            .bind(erasure.account())
            .bind(StoredTime(self.place.time()))
            .bind(self.place.id)
            .bind(StoredTime(end.time()))
            .bind(end.id)
            .fetch_all(pool))?;
        let mut found: Vec<FoundMessage> = found;
        let is_last = found.len() < self.find.page_length;
        if let Some(last) = found.last() {
            self.place = Cursor::new(last.first_received_at.0, last.id);
        }
        let names = |texts: &String| texts.lines().any(|text| erasure.is_named_by(text));
        found.retain(|message| message.named || message.texts.as_ref().is_some_and(names));
        found.sort_by(|a, b| (&a.sid, &a.account).cmp(&(&b.sid, &b.account)));
        Ok((found, is_last))
    }
}

impl Store {
    /// Deletes those of a page of refused bodies that name the recipient. Returns where the next page begins; none at the
    /// end.
    async fn erase_rejected(
        &self,
        erasure: &Erasure,
        after: i64,
        erased: &mut Erased,
    ) -> Result<Option<i64>, StoreError> {
        let bodies: Vec<(i64, String, Vec<u8>)> = on_readers!(self, pool => sqlx::query_as(sql::REJECTED_AFTER)
            .bind(after)
            .bind(erasure.account())
            .fetch_all(pool))?;
        let next = bodies.last().map(|(id, ..)| *id);
        let named = |(_, reason, body): &&(i64, String, Vec<u8>)| {
            erasure.recipient.is_in(body) || erasure.recipient.is_in(reason.as_bytes())
        };
        for (id, ..) in bodies.iter().filter(named) {
            erased.rejected += on_writer!(self, sqlx::query(sql::DELETE_REJECTED).bind(id))?;
        }
        Ok(next)
    }
}
