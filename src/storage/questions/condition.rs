//! Turns a [`MessageFilter`] into an SQL condition with parameters.

use crate::domain::{AccountName, Labels, Recipient, Time};
use crate::storage::{MessageFilter, dialect::Dialect, questions::filter::Window};

/// The value of a statement's parameter.
#[derive(Clone, Debug)]
pub(in crate::storage) enum Argument {
    Text(String),
    Number(i64),
    Time(Time),
}

/// A condition and the values of its parameters. Words of closed sets are literals in the text, not parameters: a planner
/// uses a partial index only if it sees in the text that the index's condition holds.
#[derive(Debug)]
pub(in crate::storage) struct Condition {
    /// The text behind `WHERE`.
    pub sql: String,
    /// The values of `$1`, `$2` and so on.
    pub arguments: Vec<Argument>,
    dialect: Dialect,
}

impl Condition {
    /// The condition that messages of the filter meet.
    ///
    /// The last arguments of `words` and `constants`, `anomalies <> 0`, `… IS NOT NULL` and `labels <> '{}'` repeat the
    /// conditions of the partial indexes of migration 0007; change them together.
    pub fn of(filter: &MessageFilter, dialect: Dialect) -> Self {
        let mut condition = Self { sql: "TRUE".to_owned(), arguments: Vec::new(), dialect };
        condition.texts("account", filter.accounts.iter().map(AccountName::as_str));
        condition.recipients(&filter.recipients);
        condition.words("outcome", &filter.outcomes, &["delivered"]);
        condition.words("status", &filter.statuses, &["sent"]);
        condition.words("category", &filter.categories, &["handset", "operator"]);
        condition.words("retry", &filter.retries, &["none"]);
        let codes: Vec<_> = filter.codes.iter().map(i32::to_string).collect();
        condition.constants("detailed_status_code", &codes, &["20005".to_owned(), "20006".to_owned()]);
        for (key, values) in &filter.labels {
            condition.label(key, values);
        }
        let anomalies = filter.anomalies.bits();
        if anomalies != 0 {
            condition.and(&format!("anomalies <> 0 AND anomalies & {anomalies} <> 0"));
        }
        if !filter.custom_fields.is_empty() {
            let texts: Vec<_> = filter.custom_fields.iter().map(String::as_str).collect();
            let one_of_them = condition.long_texts("custom_field", &texts);
            condition.and(&one_of_them);
        }
        condition.window("first_received_at", filter.received);
        condition.window("sent_at", filter.sent);
        condition
    }

    /// Which database it is for.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds a condition, joined by AND.
    pub fn and(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }

    /// Adds a parameter with this value; returns its name, such as `$2`.
    pub fn bind(&mut self, argument: Argument) -> String {
        self.arguments.push(argument);
        format!("${}", self.arguments.len())
    }

    fn text(&mut self, text: &str) -> String {
        self.bind(Argument::Text(text.to_owned()))
    }

    fn texts<'t>(&mut self, column: &str, texts: impl Iterator<Item = &'t str>) {
        let alternatives: Vec<_> = texts.map(|text| self.text(text)).collect();
        if !alternatives.is_empty() {
            self.and(&one_of(column, &alternatives));
        }
    }

    /// A condition on words of a closed set. `common` are the words that the column's partial index leaves out (migration
    /// 0007): where none of them is asked for, the index's own condition is added, so that the planner may use it.
    fn words<T: Copy + Into<&'static str>>(&mut self, column: &str, words: &[T], common: &[&str]) {
        let words: Vec<&str> = words.iter().map(|&word| word.into()).collect();
        let quoted = |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>();
        self.constants(column, &quoted(&words), &quoted(common));
    }

    fn constants(&mut self, column: &str, constants: &[String], common: &[String]) {
        if constants.is_empty() {
            return;
        }
        self.and(&one_of(column, constants));
        if !common.iter().any(|common| constants.contains(common)) {
            self.and(&none_of(column, common));
        }
    }

    /// By number where there is one, as a text has many spellings; else by text, for which the index
    /// `messages_recipient_raw` has the condition `recipient IS NULL`.
    fn recipients(&mut self, recipients: &[Recipient]) {
        let (read, unread): (Vec<_>, Vec<_>) =
            recipients.iter().partition(|recipient| recipient.e164.is_some());
        let mut alternatives = Vec::new();
        if !read.is_empty() {
            let numbers: Vec<_> = read
                .iter()
                .filter_map(|recipient| recipient.e164.as_deref())
                .map(|e164| self.text(e164))
                .collect();
            alternatives.push(one_of("recipient", &numbers));
        }
        if !unread.is_empty() {
            let texts: Vec<_> = unread.iter().filter_map(|recipient| recipient.raw.as_deref()).collect();
            alternatives.push(format!("recipient IS NULL AND {}", self.long_texts("recipient_raw", &texts)));
        }
        if !alternatives.is_empty() {
            self.and(&format!("({})", alternatives.join(" OR ")));
        }
    }

    /// Texts of any length. On Postgres the indexes `messages_recipient_raw` and `messages_custom_field` hold their first
    /// 64 characters, as `left(…, 64)`, since longer values do not fit into a B-tree.
    fn long_texts(&mut self, column: &str, texts: &[&str]) -> String {
        let texts: Vec<_> = texts.iter().map(|text| self.text(text)).collect();
        match self.dialect {
            Dialect::Sqlite => one_of(column, &texts),
            Dialect::Postgres => {
                let beginnings: Vec<_> = texts.iter().map(|text| format!("left({text}, 64)")).collect();
                let beginning = one_of(&format!("left({column}, 64)"), &beginnings);
                format!("{column} IS NOT NULL AND {beginning} AND {}", one_of(column, &texts))
            }
        }
    }

    fn label(&mut self, key: &str, values: &[String]) {
        if key == Labels::CAMPAIGN_ID {
            let campaigns: Vec<_> = values.iter().map(|value| self.text(value)).collect();
            // The expression that the index `messages_campaign` is on.
            let campaign = match self.dialect {
                Dialect::Postgres => "labels->>'campaign_id'",
                Dialect::Sqlite => "json_extract(labels, '$.campaign_id')",
            };
            self.and(&format!("{campaign} IS NOT NULL AND {}", one_of(campaign, &campaigns)));
            return;
        }
        let alternatives: Vec<_> = values.iter().map(|value| self.any_label(key, value)).collect();
        self.and(&format!("labels <> '{{}}' AND ({})", alternatives.join(" OR ")));
    }

    fn any_label(&mut self, key: &str, value: &str) -> String {
        match self.dialect {
            Dialect::Postgres => {
                let labels = serde_json::json!({ key: value }).to_string();
                format!("labels @> {}::jsonb", self.text(&labels))
            }
            Dialect::Sqlite => {
                let (key, value) = (self.text(key), self.text(value));
                format!("EXISTS (SELECT 1 FROM json_each(labels) WHERE key = {key} AND value = {value})")
            }
        }
    }

    fn window(&mut self, column: &str, Window { from, to }: Window) {
        for (end, order) in [(from, ">="), (to, "<")] {
            if let Some(time) = end {
                let time = self.bind(Argument::Time(time));
                self.and(&format!("{column} {order} {time}"));
            }
        }
    }
}

fn one_of(column: &str, values: &[String]) -> String {
    match values {
        [one] => format!("{column} = {one}"),
        several => format!("{column} IN ({})", several.join(", ")),
    }
}

/// The condition of a partial index of migration 0007, in the same words as there.
fn none_of(column: &str, values: &[String]) -> String {
    match values {
        [one] => format!("{column} <> {one}"),
        several => format!("{column} NOT IN ({})", several.join(", ")),
    }
}
